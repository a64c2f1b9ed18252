import { entry } from './entry.ts';

export const apiErrors = {
  internal_error: entry<{ reason: string }>({
    status: 500,
    retry: 'retry',
    message: ({ reason }) => `Something went wrong inside Sluice: ${reason}`,
    help: () => 'This is a defect. Please report it with the output of `sluice doctor`.',
  }),
};

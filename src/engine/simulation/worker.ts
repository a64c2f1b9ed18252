// Thread that plays the histories it is sent.
import { answerTasks } from '../../effects/parallel.ts';
import { playHistories } from './campaign.ts';

answerTasks(({ first, count }: { readonly first: number; readonly count: number }) => playHistories(first, count));

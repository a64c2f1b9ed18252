// Thread that plays the random stories it is sent.
import { answerTasks } from '../../effects/parallel.ts';
import { playSeeds } from './campaign.ts';

answerTasks(({ first, count }: { readonly first: number; readonly count: number }) => playSeeds(first, count));

// Thread that plays the rollouts it is sent.
import { answerTasks } from '../effects/parallel.ts';
import { playStretch } from './stretch.ts';

answerTasks(playStretch);

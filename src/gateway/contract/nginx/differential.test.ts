import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../../../testing/requires.ts';
import { portOf, rawConnection } from '../../testing/raw-client.ts';
import { backend, createRig, type Rig } from '../../testing/rig.ts';
import { createRecordingUpstream } from '../corpus/recording-upstream.ts';
import { answerSeen, requestSeen } from './comparable.ts';
import { type ExchangeCase, exchanges } from './exchanges.ts';
import { startNginx } from './nginx-proxy.ts';

describeWith('nginx', 'beside nginx', (program) => {
  let rig: Rig;
  let nginx: Awaited<ReturnType<typeof startNginx>>;
  let present: ExchangeCase;
  const upstream = createRecordingUpstream(() =>
    present.answer === undefined ? undefined : { bytes: present.answer, ...(present.end !== undefined && { end: present.end }) },
  );

  beforeAll(async () => {
    const port = await portOf(upstream.server);
    [rig, nginx] = await Promise.all([createRig(), startNginx(program, port)]);
    await rig.route({ backends: [backend('r1', 1, { a: port })] });
  });
  afterAll(async () => {
    await Promise.all([rig.close(), nginx.stop()]);
    upstream.server.close();
  });

  /** What the instance received and the client got. */
  const exchange = async (port: number): Promise<{ received: readonly string[]; got: string; status: number }> => {
    const before = upstream.requests.length;
    const connection = await rawConnection(port);
    connection.send(Buffer.from(present.request, 'latin1'));
    const answer = await connection.closed();
    connection.socket.destroy();
    const received = upstream.requests.slice(before).map(requestSeen);
    return { received, got: answerSeen(answer, present.request.startsWith('HEAD')), status: Number(answer.slice(9, 12)) };
  };

  describe('the instance receives the same, and the client gets the same', () => {
    test.each(exchanges.filter(({ differs }) => differs === undefined))('$name', async (each) => {
      present = each;
      const [theirs, ours] = [await exchange(nginx.port), await exchange(rig.publicPort)];
      expect(ours).toEqual(theirs);
    });
  });

  describe('means to differ', () => {
    test.each(exchanges.filter(({ differs }) => differs !== undefined))('$name: $differs.why', async (each) => {
      present = each;
      const ours = await exchange(rig.publicPort);
      expect(ours.status).toBe(each.differs?.status);
      expect(ours.received).toHaveLength(each.answer === undefined ? 0 : 1);
    });
  });
});

// One operation of alchemy in a process of its own: node alchemy.js up|destroy SIZE. Trivial resources, file state, all asked for at once.
import alchemy, { Resource } from 'alchemy';

const [phase, size] = process.argv.slice(2);

const Trivial = Resource('bench::Trivial', async function trivial(_id, properties) {
  return this.phase === 'delete' ? this.destroy() : { ...properties };
});

const app = await alchemy('bench', { phase, quiet: true, noTrack: true, password: 'bench' });
if (phase === 'up') {
  const groups = Math.ceil(Number(size) / 100);
  const made = await Promise.all(
    Array.from({ length: groups }, (_, index) => Trivial(`g${index}`, { name: `g${index}`, location: 'local' })),
  );
  await Promise.all(
    Array.from({ length: Number(size) - groups }, (_, index) =>
      Trivial(`n${index}`, { name: `n${index}`, group: made[index % groups].name, address_space: '10.0.0.0/16' }),
    ),
  );
}
await app.finalize();

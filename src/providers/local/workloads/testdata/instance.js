// A program to be run as an instance: what it does is its first argument.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [, , behaviour = 'serve'] = process.argv;
const { HOST, PORT } = process.env;

function serve() {
  const server = createServer((request, answer) => {
    const status = request.url === '/broken' ? 500 : 200;
    if (request.url === '/slow') return;
    answer.writeHead(status, { 'content-type': 'application/json' });
    answer.end(JSON.stringify({ environment: process.env, directory: process.cwd(), pid: process.pid }));
  });
  server.listen(Number(PORT), HOST, () => console.log(`listening on ${PORT}`));
}

switch (behaviour) {
  case 'serve':
    serve();
    break;
  case 'exit':
    console.log('about to end');
    process.exit(3);
    break;
  case 'deaf':
    process.on('SIGTERM', () => undefined);
    serve();
    break;
  case 'parent': {
    const child = spawn(process.execPath, [process.argv[1], 'deaf'], { stdio: 'inherit' });
    writeFileSync(`${process.env.HOME}/child.pid`, String(child.pid));
    setInterval(() => undefined, 1_000);
    break;
  }
  case 'idle':
    setInterval(() => undefined, 1_000);
    break;
}

/** A stack that runs as it stands on a machine with nothing but Node: path -> content, relative to the new folder. */
export const scaffold: Readonly<Record<string, string>> = {
  'stack.yaml': `# What should run. \`sluice plan\` shows what would change, \`sluice up\` makes it so.
service:
  name: hello
  source: hello # this folder is the release: change a word in it and the next apply rolls it out
  command: [node, server.ts]
  version: 1.0.0
  replicas: 2
  health: { path: /healthz }
  env:
    GREETING: Hello
  expose: { host: hello.localhost, path: / }
`,
  'hello/server.ts': `import { createServer } from 'node:http';

// Sluice gives every instance its own PORT and HOST, and the environment the stack declares: nothing else.
const { HOST = '127.0.0.1', PORT = '8080', GREETING = 'Hello', SLUICE_INSTANCE = 'alone', SLUICE_RELEASE = 'none' } = process.env;

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (url.pathname === '/healthz') {
    response.end('ok');
    return;
  }
  response.setHeader('content-type', 'application/json');
  const greeting = \`\${GREETING}, \${url.searchParams.get('name') ?? 'world'}!\`;
  response.end(JSON.stringify({ greeting, release: SLUICE_RELEASE, instance: SLUICE_INSTANCE }) + '\\n');
});

server.listen(Number(PORT), HOST, () => console.log(\`listening on \${HOST}:\${PORT}\`));

// Told to stop: no new connections, and what has been accepted is answered.
process.on('SIGTERM', () => server.close(() => process.exit(0)));
`,
  'hello/package.json': `{ "name": "hello", "private": true, "type": "module" }
`,
  'README.md': `# A first stack

    sluice up          # plan, apply, follow; Ctrl-C stops and keeps the data
    sluice status      # how everything is
    sluice logs hello  # what the instances wrote
    sluice scale hello 3
    sluice destroy     # leave no trace

\`stack.yaml\` says what should run: one service from the folder \`hello/\`, two instances of it, reachable through the gateway.
Change the greeting in \`stack.yaml\` or a line of \`hello/server.ts\` and run \`sluice up\` again: the change is a new release, and it
replaces the old one without losing a request.

State lives in \`.sluice/\`, which does not belong in Git.
`,
  '.gitignore': `.sluice/
`,
};

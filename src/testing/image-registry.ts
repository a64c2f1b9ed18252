import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type Answering, answering } from './answering.ts';

export interface ImageRegistry {
  /** `127.0.0.1:port`, which an engine asks without TLS. */
  readonly host: string;
  /** Puts an image of one layer, a tar archive, under `repository:tag`; its manifest's digest. */
  put(repository: string, tag: string, layer: Buffer, command: readonly string[]): string;
  close(): Promise<void>;
}

const media = 'application/vnd.docker';
const types = {
  manifest: `${media}.distribution.manifest.v2+json`,
  config: `${media}.container.image.v1+json`,
  layer: `${media}.image.rootfs.diff.tar.gzip`,
};

/** What a registry must do for an image to be fetched from it (OCI distribution specification, pull), for those with this login. */
export async function startImageRegistry(login: { readonly name: string; readonly password: string }): Promise<ImageRegistry> {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, Buffer>();
  const wanted = `Basic ${Buffer.from(`${login.name}:${login.password}`).toString('base64')}`;
  const keep = (bytes: Buffer, where = blobs): string => {
    const digest = digestOf(bytes);
    where.set(digest, bytes);
    return digest;
  };

  const server: Answering = await answering((request, response) => {
    if (request.headers.authorization !== wanted) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="test"', 'content-type': 'application/json' });
      response.end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
      return;
    }
    const [, name = '', kind, reference = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(request.url ?? '') ?? [];
    const found = kind === 'blobs' ? blobs.get(reference) : (manifests.get(`${name}:${reference}`) ?? manifests.get(reference));
    if (request.url === '/v2/') response.end('{}');
    else if (found === undefined)
      response
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
    else {
      const type = kind === 'blobs' ? 'application/octet-stream' : types.manifest;
      response.writeHead(200, { 'content-type': type, 'content-length': found.length, 'docker-content-digest': digestOf(found) });
      response.end(request.method === 'HEAD' ? undefined : found);
    }
  });

  return {
    host: new URL(server.url).host,
    put(repository, tag, layer, command) {
      const packed = gzipSync(layer, { level: 1 });
      const config = Buffer.from(
        JSON.stringify({
          architecture: { x64: 'amd64' }[process.arch as string] ?? process.arch,
          os: 'linux',
          config: { Cmd: command },
          rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
        }),
      );
      const manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: types.manifest,
          config: { mediaType: types.config, size: config.length, digest: keep(config) },
          layers: [{ mediaType: types.layer, size: packed.length, digest: keep(packed) }],
        }),
      );
      manifests.set(`${repository}:${tag}`, manifest);
      return keep(manifest, manifests);
    },
    close: () => server.close(),
  };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

// A process of its own for the relay's benchmark: GitLab as far as artifacts and trace patches go. It answers an upload
// with the SHA-256 of what it got, which GitLab works out too. Says its port when it listens, ends with its parent.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const piece = Buffer.alloc(64 * 1024, 0x61);

const server = createServer({ requestTimeout: 0 }, (request, response) => {
  let receivedBytes = 0;
  const hash = request.method === 'POST' ? createHash('sha256') : undefined;
  request.on('data', (chunk: Buffer) => {
    receivedBytes += chunk.length;
    hash?.update(chunk);
  });
  if (request.method === 'GET') {
    let leftBytes = Number(request.headers['range']?.slice('bytes=0-'.length) ?? 0) + 1;
    response.writeHead(200, { 'Content-Length': leftBytes });
    const write = () => {
      while (leftBytes > 0) {
        const part = leftBytes >= piece.length ? piece : piece.subarray(0, leftBytes);
        leftBytes -= part.length;
        if (!response.write(part)) {
          response.once('drain', write);
          return;
        }
      }
      response.end();
    };
    write();
    return;
  }
  request.once('end', () => {
    const start = Number(request.headers['content-range']?.split('-')[0] ?? 0);
    const head = {
      Range: `0-${start + receivedBytes}`,
      'Job-Status': 'running',
      'X-GitLab-Trace-Update-Interval': '60',
    };
    const body = hash?.digest('hex') ?? '0';
    response.writeHead(request.method === 'PATCH' ? 202 : 201, { ...head, 'Content-Length': body.length });
    response.end(body);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
process.once('disconnect', () => process.exit());

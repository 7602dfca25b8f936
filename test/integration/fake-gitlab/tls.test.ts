import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { FakeGitLab } from '../../fakes/gitlab/fake-gitlab.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const run = promisify(execFile);

it('serves https with the certificate it is given', async () => {
  await using folder = await temporaryDirectory();
  const keyPath = join(folder.path, 'key.pem');
  const certPath = join(folder.path, 'cert.pem');
  const subject = ['-subj', '/CN=gitlab.demo', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  await run('openssl', ['req', '-x509', ...newKey, '-keyout', keyPath, '-out', certPath, ...subject]);
  const [key, cert] = await Promise.all([readFile(keyPath, 'utf8'), readFile(certPath, 'utf8')]);
  await using gitlab = await FakeGitLab.start({ directory: folder.path, tls: { key, cert } });
  const ask = (ca: string | undefined) =>
    new Promise<number | undefined>((resolve, reject) => {
      const options = { method: 'POST', agent: false, ...(ca === undefined ? {} : { ca }) };
      const asked = request(`${gitlab.url}/api/v4/jobs/request`, options, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asked.on('error', reject);
      asked.end();
    });
  expect(gitlab.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  expect(await ask(cert)).toBe(415);
  await expect(ask(undefined)).rejects.toThrow('self-signed certificate');
});

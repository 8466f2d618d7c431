// What token-verify does, in Node.js: verifies RS256, ES256 and EdDSA tokens against a key set.
// Keys are read once: a process that lives on would be silly not to.
// Usage: node token-verify.mjs HOST:PORT KEY_SET_FILE
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [address, file] = process.argv.slice(2);
const keys = new Map(
  JSON.parse(readFileSync(file, 'utf8')).keys.map((jwk) => [jwk.kid, { alg: jwk.alg, key: createPublicKey({ key: jwk, format: 'jwk' }) }]),
);

function check(token) {
  const [head, claims, signature] = token.split('.');
  const { alg, kid } = JSON.parse(Buffer.from(head, 'base64url').toString());
  const found = keys.get(kid);
  if (found === undefined || found.alg !== alg) throw new Error('no key');
  const data = Buffer.from(`${head}.${claims}`);
  const key = alg === 'ES256' ? { key: found.key, dsaEncoding: 'ieee-p1363' } : found.key;
  if (!verify(alg === 'EdDSA' ? null : 'sha256', data, key, Buffer.from(signature, 'base64url'))) throw new Error('signature');
  const read = JSON.parse(Buffer.from(claims, 'base64url').toString());
  const now = Date.now() / 1000;
  if (!(read.exp > now) || read.nbf > now || read.iat > now) throw new Error('time');
  return `${JSON.stringify(read)}\n`;
}

const [host, port] = address.split(':');
createServer((request, response) => {
  let status = 200;
  let body;
  try {
    body = check((request.headers.authorization ?? '').replace(/^Bearer /i, ''));
  } catch (error) {
    [status, body] = [401, `${error.message}\n`];
  }
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}).listen(Number(port), host);

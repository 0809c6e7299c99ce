// A certificate for the tests of TLS, of nobody but itself.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

import {run, temporary_folder} from './processes.mjs';

// {certificate, key}: files; ca: the certificate's text.
export async function make_certificate() {
  const folder = temporary_folder('tls');
  const [certificate, key] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
  const made = await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
    '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:MyBox.lan', '-out', certificate, '-keyout', key]);
  assert.equal(made.code, 0, made.stderr);
  return {folder, certificate, key, ca: fs.readFileSync(certificate)};
}

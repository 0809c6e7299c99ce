// What the dashboard shows of text that others chose.
import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {test} from 'node:test';

const source = await readFile(new URL('../../src/http/assets/text.js', import.meta.url));
const {printable} = await import(`data:text/javascript;base64,${source.toString('base64')}`);

test('controls of bidirectional text are written out, each of them', () => {
  const controls = [0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069];
  for (let code = 0xa0; code < 0x3000; ++code) {
    const shown = printable(String.fromCharCode(code));
    const expected = controls.includes(code) ? `\\u${code.toString(16).padStart(4, '0')}` : String.fromCharCode(code);
    assert.equal(shown, expected);
  }
  assert.equal(printable('gpj.\u202eexe'), 'gpj.\\u202eexe');
});

test('joiners and everything that is read stay', () => {
  for (const text of ['می\u200cخواهم', '👩\u200d🚀', '日本語', 'naïve <b>', 'שלום']) {
    assert.equal(printable(text), text);
  }
});

test('control characters are written out', () => {
  assert.equal(printable('a\u001b[2Jb\n\u009b'), 'a\\x1b[2Jb\\x0a\\x9b');
});

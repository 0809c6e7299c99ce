// Text that others chose, as people may be shown it: what moves a cursor or turns the direction of
// reading is written out, as codec/printable.hpp does. Joiners stay. Values, addresses and names of
// downloads keep what they are.
const hidden = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

export function printable(text) {
  return text.replace(hidden, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

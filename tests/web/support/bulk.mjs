// Bodies of any size that need no memory, and can be told apart from any other bytes.
import crypto from 'node:crypto';

const kPiece = 1 << 20;

// `size` bytes in pieces of 1 MiB, none like another.
export function* bulk_pieces(size, seed = 'bulk') {
  const random = crypto.createHash('shake256', {outputLength: kPiece}).update(seed).digest();
  for (let at = 0, number = 0; at < size; at += kPiece, ++number) {
    const piece = Buffer.from(random.subarray(0, Math.min(kPiece, size - at)));
    if (piece.length >= 4) piece.writeUInt32LE(number, 0);
    yield piece;
  }
}

export function bulk_digest(size, seed) {
  const hash = crypto.createHash('sha256');
  for (const piece of bulk_pieces(size, seed)) hash.update(piece);
  return hash.digest('hex');
}

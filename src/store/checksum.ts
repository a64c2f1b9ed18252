import { crc32 } from 'node:zlib';

/**
 * CRC-32 of one row. SQLite checks the structure of its file and not what stands in it: a byte that changed inside a value would be read
 * as if it had been written. `name` and `key` are collection and key, or log and nothing; `number` the version or the sequence.
 */
export function checksumOf(name: string, key: string, number: number, value: string): number {
  return crc32(`${name}\0${key}\0${number}\0${value}`);
}

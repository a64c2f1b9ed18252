const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `512 B`, `22.4 MiB`, `1.5 GiB`. */
export function byteSize(bytes: number): string {
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 2 ** (power * 10);
  return `${power === 0 ? value : value.toFixed(1)} ${units[power] ?? 'B'}`;
}

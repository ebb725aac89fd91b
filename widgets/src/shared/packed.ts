// Large values come as gzipped JSON: the notebook server drops what is over a megabyte a second.

export async function unpack<T>(data: DataView | ArrayBuffer | Uint8Array | null | undefined): Promise<T | null> {
  if (!data || data.byteLength === 0) return null;
  const stream = new Blob([data as BlobPart]).stream().pipeThrough(new DecompressionStream("gzip"));
  return (await new Response(stream).json()) as T;
}

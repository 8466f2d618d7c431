// wasi:config: the values that were granted, as they were at the build.

/** What a component imports; `values` are pairs. */
export function config(values) {
  const known = new Map(values);
  return { "wasi:config/store": { get: (key) => known.get(key), getAll: () => values } };
}

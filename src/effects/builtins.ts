// Of Node's own modules those that take long to load, for processes whose start is waited for.

/** Without `import`: an ES module of it would hold all it offers, for which Node loads the client of `fetch` too. */
export const http = process.getBuiltinModule('node:http');

/** Loaded when first called. */
export const tls = (): typeof import('node:tls') => process.getBuiltinModule('node:tls');

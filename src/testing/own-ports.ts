// Homes of test files that run at the same time look for their ports in different places: while one is stopped, no other takes its port.
const portsEach = 610;

process.env['SLUICE_PORT_OFFSET'] = String(portsEach * Number(process.env['VITEST_POOL_ID'] ?? 1));

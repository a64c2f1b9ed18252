export const gatewayErrors = {};

import { z } from '@hono/zod-openapi';
import { endpoint } from './endpoint.ts';
import { gatewayUpgrade, gatewayView } from './schemas/gateway.ts';

/** The part of the route table that is about the gateway. */
export const gatewayEndpoints = {
  getGateway: endpoint({
    method: 'get',
    path: '/v1/gateway',
    access: { permission: 'read' },
    summary: 'The gateway: where it listens, and requests, errors and latencies of every release over the last seconds',
    status: 200,
    answer: gatewayView,
  }),
  upgradeGateway: endpoint({
    method: 'post',
    path: '/v1/gateway/upgrade',
    access: { permission: 'operate' },
    summary: 'Replaces the processes of the gateway by new ones of the version of Sluice that is installed, without refusing a connection',
    status: 200,
    answer: gatewayUpgrade,
    audit: { action: 'gateway.upgrade' },
  }),
  metrics: endpoint({
    method: 'get',
    path: '/metrics',
    access: { permission: 'read' },
    summary: 'Metrics of the gateway and the control plane for Prometheus; OpenMetrics for whoever prefers it',
    status: 200,
    answer: z.string(),
    text: 'text/plain',
  }),
};

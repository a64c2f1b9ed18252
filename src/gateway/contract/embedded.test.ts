import { describeGatewayContract } from './describe-gateway-contract.ts';
import { embeddedKind } from './embedded-kind.ts';

describeGatewayContract(embeddedKind);

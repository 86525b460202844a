import { Podman } from './harness/podman.ts';
import { engineSuite } from './harness/suite.ts';
import { exec } from './podman/exec.ts';
import { isolation } from './podman/isolation.ts';
import { life } from './podman/life.ts';
import { plainUserNetworks, sharedNetworks } from './podman/networks.ts';

engineSuite('podman (rootless)', Podman.openRootless.bind(Podman), (action) => {
  life(action);
  exec(action);
  isolation(action);
  sharedNetworks(action);
  plainUserNetworks(action);
});

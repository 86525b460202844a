import { Podman } from './harness/podman.ts';
import { engineSuite } from './harness/suite.ts';
import { checkpoints } from './podman/checkpoints.ts';
import { exec } from './podman/exec.ts';
import { faults } from './podman/faults.ts';
import { isolation } from './podman/isolation.ts';
import { life } from './podman/life.ts';
import { limits } from './podman/limits.ts';
import { networks } from './podman/networks.ts';
import { users } from './podman/users.ts';

engineSuite('podman', Podman.open.bind(Podman), (action) => {
  life(action);
  exec(action);
  isolation(action);
  limits(action);
  users(action);
  networks(action);
  faults(action);
  checkpoints(action);
});

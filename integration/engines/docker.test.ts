import { restarts } from './docker/daemon.ts';
import { running } from './docker/exec.ts';
import { life } from './docker/life.ts';
import { limits } from './docker/limits.ts';
import { namespaces } from './docker/namespaces.ts';
import { security } from './docker/security.ts';
import { storage } from './docker/storage.ts';
import { Docker } from './harness/docker.ts';
import { engineSuite } from './harness/suite.ts';

engineSuite(
  'docker',
  (stage) => Docker.open(stage, { 'live-restore': true }),
  (action) => {
    for (const declare of [life, running, limits, security, namespaces, storage, restarts]) declare(action);
  },
);

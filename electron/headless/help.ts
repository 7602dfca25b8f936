import { defaultPort } from './command-line.ts';

export const helpText = `forrest-bench lends this machine to GitLab CI: each job in a QEMU machine of its own.

  forrest-bench run                  take jobs until told to stop, and serve the interface on 127.0.0.1
      --config FILE                  the config file (usually ~/.config/forrest-bench/config.yaml)
      --port N                       port of the interface (${defaultPort}); 0 takes a free one
      --data DIR                     keep everything below DIR instead of in the usual places
      --qemu PATH                    the qemu-system program to use
      --runner-binary PATH           the gitlab-runner to put into machines
      --verbose                      say more
  forrest-bench init                 write a first config file (--config FILE, --data DIR)
  forrest-bench check                say all that is wrong with the config file (--config FILE, --data DIR)
  forrest-bench address              print the address of the bench that runs here (--data DIR)
  forrest-bench images list          the images there are recipes for, and whether they are built (--data DIR)
  forrest-bench images build NAME    build an image
  forrest-bench images verify NAME   compare a built image with its checksums
  forrest-bench --help | --version

run stops on SIGTERM or SIGINT: it takes no more jobs, lets the running ones end, and exits. A second signal stops it
now: running jobs are ended and GitLab is told.

Exit codes: 0 done, 1 something is wrong and was printed, 2 the command line makes no sense, 3 a bench runs already,
130 or 143 stopped by a second SIGINT or SIGTERM.
`;

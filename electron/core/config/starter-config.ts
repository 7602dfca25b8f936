/** The text of a first config file: lends half of the PC, once the token file and the address are filled in. */
export function starterConfig(): string {
  return `# Forrest Bench: what this PC lends to GitLab CI. The app writes its switch and sliders here too and keeps comments.

lending:
  enabled: true

# Without this, half of the PC is lent, one job at a time.
# capacity:
#   here: { cpus: 2, memory: 4G, disk: 40G, runs: 1 }   # what jobs may use together
#   keep-free: { memory: 2G, disk: 10G }                # take no new job below this

# A kind of machine: each job gets a fresh one, which is thrown away after it.
machines:
  debian:
    image: debian-12
    executor: shell
    cpus: 1
    memory: 1G
    disk: 10G
    # What jobs may reach in your network, beside the internet and their GitLab instance:
    # reach: [registry.lab:5000]

# Where jobs come from. Create a runner at GitLab (Settings, CI/CD, Runners) and put its token, glrt-..., into a file
# of its own that only you can read (chmod 600).
connections: []
# - name: work
#   url: https://gitlab.example.com
#   runners:
#     - name: this pc
#       token-file: runner.token        # beside this file, or an absolute path, or ~/...
#       machine: debian
#       projects: []                    # empty: every project that GitLab offers
`;
}

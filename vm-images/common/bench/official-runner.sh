# Becomes the official gitlab-runner, for one job. To be sourced, in a subshell, with what the app answered.

set -- run-single --url "$BENCH_URL" --token "$BENCH_TOKEN" --name "$BENCH_RUNNER_NAME" \
    --executor "$BENCH_EXECUTOR" --max-builds 1 --wait-timeout "$BENCH_WAIT_TIMEOUT" \
    --builds-dir "$BENCH_BUILDS_DIR" --cache-dir /var/cache/gitlab-runner --output-limit "$BENCH_OUTPUT_LIMIT"
[ -z "$BENCH_SHELL" ] || [ "$BENCH_EXECUTOR" != shell ] || set -- "$@" --shell "$BENCH_SHELL"
# Without it, git's rules for submodules would point at the app (protocol document 2.6).
[ -z "$BENCH_CLONE_URL" ] || set -- "$@" --clone-url "$BENCH_CLONE_URL"
[ -z "$BENCH_CA_FILE" ] || set -- "$@" --tls-ca-file "$BENCH_CA_FILE"
# For jobs in containers, which do not inherit this environment; a job's own variables come after these.
if [ -n "$BENCH_HTTP_PROXY" ]; then
    for name in http_proxy https_proxy HTTP_PROXY HTTPS_PROXY; do
        set -- "$@" --env "$name=$BENCH_HTTP_PROXY"
    done
    set -- "$@" --env "no_proxy=$BENCH_NO_PROXY" --env "NO_PROXY=$BENCH_NO_PROXY"
fi
# A shell executor hands its whole environment to the job.
unset BENCH_TOKEN
exec /run/bench/runner-disk/gitlab-runner "$@"

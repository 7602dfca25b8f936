#!/bin/sh
# A small runner for GitLab CI jobs, in place of the official one: shell scripts, git, variables, artifacts. It takes
# one job and ends with 0 whatever became of it; only GitLab is told that.
#
# Needs a POSIX shell and busybox's programs; git and bash are used where they are. From the environment:
# BENCH_URL, BENCH_TOKEN (a runner token), BENCH_RUNNER_NAME, BENCH_RUNNER_INFO (a file: what it announces itself as),
# BENCH_BUILDS_DIR, BENCH_OUTPUT_LIMIT (KiB), BENCH_WAIT_TIMEOUT (seconds), BENCH_CLONE_URL, BENCH_CA_FILE, BENCH_IMAGE,
# and BENCH_JOB_PATH, the PATH of jobs where it is not the usual one.

# Bytes, not characters: lengths and offsets are counted in them.
job_locale=${LANG:-C.UTF-8}
LC_ALL=C
export LC_ALL
here=${0%/*}
. "$here/../http.sh"
. "$here/trace.sh"
. "$here/artifacts.sh"
. "$here/zip.sh"

work=$BENCH_BUILDS_DIR/.bench
version=$(sed -n 's/.*"version":"\([^"]*\)".*/\1/p' "$BENCH_RUNNER_INFO")

main() {
    rm -rf "$work"
    mkdir -p "$work/files"
    http_at "$BENCH_URL"
    request_job || exit 0
    read_clock
    awk -f "$here/json.awk" "$work/request.body" >"$work/payload"
    WORK=$work BUILDS_DIR=$BENCH_BUILDS_DIR CA_FILE=$BENCH_CA_FILE RUNNER_TOKEN=$BENCH_TOKEN RUNNER_VERSION=$version \
        awk -f "$here/job.awk" "$work/payload"
    . "$work/job"
    deadline=$((now + JOB_TIMEOUT))
    trap 'stop_job terminated' TERM INT

    put_state running
    heed
    trace_open
    # Without the pipe: mask.awk ends when nobody can write to it any more.
    { exec 3>&- && trace_send; } &
    sender_pid=$!
    say "Running with Forrest Bench's shell runner $version on $BENCH_RUNNER_NAME"
    say "This is Forrest Bench's own small shell runner, not the official gitlab-runner: it does scripts, git, variables"
    say 'and artifacts, and neither images, services nor caches.'
    run_job
    section_close
    report
}

# Polls until there is a job, or nobody has one within the time.
request_job() {
    read_clock
    give_up=$((now + ${BENCH_WAIT_TIMEOUT:-300}))
    { printf '{"token":"%s","info":' "$BENCH_TOKEN" && cat "$BENCH_RUNNER_INFO" && printf '}'; } >"$work/ask"
    while :; do
        http "$work/request" POST /api/v4/jobs/request 'Content-Type: application/json' 'Accept: application/json' \
            -- "$work/ask"
        [ "$STATUS" != 201 ] || return 0
        read_clock
        [ "$now" -lt "$give_up" ] || return 1
        # As the official runner: a wrong token does not get better soon.
        if [ "$STATUS" = 403 ]; then sleep 30; else sleep 3; fi
    done
}

# Leaves the outcome in `result` (success, failed), `reason` and `exit_code`.
run_job() {
    result=failed reason=script_failure exit_code=
    if [ -n "$UNSUPPORTED" ]; then
        say_red "ERROR: Job failed: Forrest Bench's shell runner does not do $UNSUPPORTED."
        say 'Give the bench an official gitlab-runner, or run this job elsewhere.'
        reason=runner_unsupported
        return
    fi
    section prepare_executor 'Preparing the machine'
    say "A machine of its own, of the image ${BENCH_IMAGE:-unknown}; scripts run as $(id -un) in ${shell##*/}."
    [ -z "$CACHE" ] || warn 'this runner has no cache: the job runs without it'
    mkdir -p "$PROJECT_DIR"
    if get_sources && download_artifacts && run_steps; then
        result=success
    else
        exit_code=$?
    fi
    ! is_stopped aborted || return
    if [ -e "$work/step-after_script.sh" ] && ! is_stopped timeout && ! is_stopped terminated && [ -n "$started" ]; then
        section after_script 'Running after_script'
        job_status=$result
        ! is_stopped canceling || job_status=canceled
        read_clock
        run_script after_script $((now + 300)) after_script "export CI_JOB_STATUS='$job_status'" ||
            warn "after_script failed with $?; the job's state is not changed by that"
    fi
    if [ "$result" = success ]; then
        upload_artifacts success || result=failed
    else
        upload_artifacts failure
    fi
}

get_sources() {
    section get_sources 'Getting source from Git repository'
    run_hook pre_get_sources_script || return 1
    if [ "$GIT_STRATEGY" = none ] || [ "$GIT_STRATEGY" = empty ]; then
        say "Skipped, as GIT_STRATEGY is $GIT_STRATEGY"
    elif ! command -v git >/dev/null; then
        warn 'this image has no git: the job runs without its sources'
    elif [ -z "$GIT_URL" ]; then
        warn 'the job names no repository: it runs without sources'
    else
        run_child "$deadline" timeout env "WORK=$work" "CA_FILE=$BENCH_CA_FILE" sh "$here/sources.sh" || return
    fi
    run_hook post_get_sources_script
}

run_hook() {
    [ ! -e "$work/step-$1.sh" ] || run_script "$1" "$deadline" timeout
}

run_steps() {
    started=1
    for step in $STEPS; do
        section "step_$step" "Executing \"step_$step\" stage of the job script"
        run_script "$step" "$deadline" timeout || return
    done
}

# run_script STEP DEADLINE REASON [SETTING]: the commands of a step, in a shell of their own that knows the variables.
run_script() {
    {
        echo ". '$work/variables'"
        echo "$4"
        # dash has no pipefail.
        echo 'set -e; (set -o pipefail) 2>/dev/null && set -o pipefail'
        echo 'cd "$CI_PROJECT_DIR"'
        cat "$work/step-$1.sh"
    } >"$work/script-$1.sh"
    run_child "$2" "$3" env -i "HOME=$HOME" "USER=$USER" "LOGNAME=$USER" "PATH=$job_path" "LANG=$job_locale" \
        "SHELL=$shell" ${http_proxy:+"http_proxy=$http_proxy"} ${http_proxy:+"HTTP_PROXY=$http_proxy"} \
        ${https_proxy:+"https_proxy=$https_proxy"} ${https_proxy:+"HTTPS_PROXY=$https_proxy"} \
        ${no_proxy:+"no_proxy=$no_proxy"} ${no_proxy:+"NO_PROXY=$no_proxy"} \
        "$shell" "$work/script-$1.sh"
}

# run_child DEADLINE REASON PROGRAM...: in a session of its own, so that all it starts can be ended with it.
run_child() {
    ! is_stopped aborted || return 1
    [ ! -e "$work/stop" ] || [ "$2" = after_script ] || return 1
    child_limit="$1 $2"
    shift 2
    setsid "$@" </dev/null >&3 2>&1 3>&- &
    child=$!
    echo "$child $child_limit" >"$work/script.new"
    mv "$work/script.new" "$work/script"
    while :; do
        wait "$child"
        child_code=$?
        # A signal to this shell ends the wait, not the child.
        kill -0 "$child" 2>/dev/null || break
    done
    rm -f "$work/script"
    return "$child_code"
}

# The last lines, the rest of the trace, and the state of the job.
report() {
    if is_stopped canceling; then
        say_red 'ERROR: Job failed: canceled'
        result=failed reason=job_canceled exit_code=
    elif is_stopped timeout; then
        say_red "ERROR: Job failed: execution took longer than $JOB_TIMEOUT seconds"
        result=failed reason=job_execution_timeout exit_code=
    elif is_stopped terminated; then
        say_red 'ERROR: Job failed: the machine was asked to end'
        result=failed reason=runner_interrupted exit_code=
    elif [ "$result" = success ]; then
        say_green 'Job succeeded'
    elif [ "$reason" = script_failure ]; then
        say_red "ERROR: Job failed: exit code ${exit_code:-1}"
    fi
    trace_close
    : >"$work/closed"
    kill -USR1 "$sender_pid" 2>/dev/null
    while kill -0 "$sender_pid" 2>/dev/null; do wait "$sender_pid"; done
    ! is_stopped aborted || return
    send_result
}

send_result() {
    set -- $(gzip -c <"$work/trace" | tail -c 8 | od -A n -t x1)
    checksum=crc32:$4$3$2$1
    more=",\"checksum\":\"$checksum\",\"output\":{\"checksum\":\"$checksum\",\"bytesize\":$(wc -c <"$work/trace")}"
    if [ "$result" = failed ]; then
        # GitLab stores a reason it does not know as unknown.
        case $reason:$FAILURE_REASONS in
        script_failure:* | runner_system_failure:* | job_execution_timeout:*) ;;
        *" $reason "*) ;;
        job_canceled:*) reason=script_failure ;;
        *) reason=runner_system_failure ;;
        esac
        more="$more,\"failure_reason\":\"$reason\""
        [ -z "$exit_code" ] || [ "$exit_code" = 0 ] || more="$more,\"exit_code\":$exit_code"
    fi
    tries=0
    while [ "$tries" -lt 10 ]; do
        put_state "$result" "$more"
        case $STATUS:$JOB_STATUS in
        200:* | 403:* | 404:* | *:canceled | *:failed) return ;;
        202:*) sleep "${TRACE_INTERVAL:-1}" ;; # noted; asked again until it is done
        *)
            tries=$((tries + 1))
            sleep "$tries"
            ;;
        esac
    done
}

job_path=${BENCH_JOB_PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
shell=$(PATH=$job_path command -v bash || PATH=$job_path command -v sh)
case $shell in /*) ;; *) shell=/bin/sh ;; esac
HOME=${HOME:-/root}
USER=${USER:-root}
main

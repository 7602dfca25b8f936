# The trace: what is said in it, and how it gets to GitLab. To be sourced.
#
# Everything is written to descriptor 3, a pipe into mask.awk, which appends to the file `trace`. A process of its own
# sends that file on, watches the time, and hears in the answers when the job is canceled. What it hears it writes
# into the file `stop`: canceling, aborted, timeout or terminated.

trace_open() {
    mkfifo "$work/pipe"
    : >"$work/trace"
    touch "$work/masks" "$work/mask-prefixes"
    MASKS=$work/masks MASK_PREFIXES=$work/mask-prefixes LIMIT=$((BENCH_OUTPUT_LIMIT * 1024)) \
        awk -f "$here/mask.awk" <"$work/pipe" >>"$work/trace" &
    mask_pid=$!
    exec 3>"$work/pipe"
}

# Ends the writing of the trace. A process that a job has left behind may hold the pipe open: it is not waited for long.
trace_close() {
    exec 3>&-
    { sleep 2 && kill "$mask_pid"; } >/dev/null 2>&1 &
    killer=$!
    wait "$mask_pid"
    kill "$killer" 2>/dev/null
}

say() { printf '%s\n' "$*" >&3; }
say_green() { printf '\033[32;1m%s\033[0;m\n' "$*" >&3; }
say_red() { printf '\033[31;1m%s\033[0;m\n' "$*" >&3; }
warn() { printf '\033[0;33mWARNING: %s\033[0;m\n' "$*" >&3; }

# section NAME TITLE: ends the section before, and begins one that viewers can fold.
section() {
    section_close
    section_name=$1
    [ -z "$TRACE_SECTIONS" ] || printf 'section_start:%s:%s\r\033[0K' "$(date +%s)" "$1" >&3
    printf '\033[0K\033[36;1m%s\033[0;m\n' "$2" >&3
}

section_close() {
    if [ -n "$section_name" ] && [ -n "$TRACE_SECTIONS" ]; then
        printf 'section_end:%s:%s\r\033[0K' "$(date +%s)" "$section_name" >&3
    fi
    section_name=
}

# Whole seconds of a clock that never jumps, in `now`.
read_clock() {
    read -r now _ </proc/uptime
    now=${now%.*}
}

# stop_job WHY: the first reason stays, except that an abort overrules it.
stop_job() {
    if [ ! -e "$work/stop" ] || [ "$1" = aborted ]; then
        echo "$1" >"$work/stop.new"
        mv "$work/stop.new" "$work/stop"
    fi
}

# What the answer to a status or trace says about the job itself.
heed() {
    case $STATUS:$JOB_STATUS in
    403:* | *:canceled | *:failed) stop_job aborted ;;
    *:canceling) stop_job canceling ;;
    esac
}

# put_state STATE [MORE]: tells GitLab; MORE is JSON, from a comma on.
put_state() {
    printf '{"token":"%s","state":"%s"%s}' "$JOB_TOKEN" "$1" "$2" >"$work/put-$1"
    http "$work/put" PUT "/api/v4/jobs/$JOB_ID" 'Content-Type: application/json' "JOB-TOKEN: $JOB_TOKEN" \
        -- "$work/put-$1"
}

# The sender. Ends when it finds the file `closed` and has sent all, or cannot.
trace_send() {
    sent=0 interval=1 due=0 failures=0
    read_clock
    touched=$now
    trap '' USR1
    while :; do
        read_clock
        watch_script
        # First this, then the size: what is closed does not grow any more.
        closed=
        [ ! -e "$work/closed" ] || closed=1
        if is_stopped aborted; then
            # GitLab wants to hear nothing more; the script may still have to be ended.
            [ -z "$closed" ] || return
        else
            send_what_is_due
            [ -z "$closed" ] || [ "$sent" -lt "$(wc -c <"$work/trace")" ] || return
            [ -z "$closed" ] || [ "$failures" -lt 10 ] || return
            [ -z "$closed" ] || [ "$failures" -gt 0 ] || continue
        fi
        # A signal ends the wait at once, so that the end of a job is not a second late. It is not heard elsewhere: it
        # would break off the reading of an answer.
        trap : USR1
        if [ -n "$closed" ] || [ ! -e "$work/closed" ]; then
            sleep 1 >/dev/null 2>&1 &
            wait $!
        fi
        trap '' USR1
    done
}

send_what_is_due() {
    if [ "$(wc -c <"$work/trace")" -gt "$sent" ]; then
        [ -n "$closed" ] || [ "$now" -ge "$due" ] || return
        send_chunk
        due=$((now + interval))
    elif [ -z "$closed" ] && [ $((now - touched)) -ge 10 ]; then
        # Says that the job is alive, and hears whether it is still wanted.
        put_state running
        heed
        [ "$STATUS" != 200 ] || touched=$now
    fi
}

is_stopped() {
    read -r stopped_by 2>/dev/null <"$work/stop" && [ "$stopped_by" = "$1" ]
}

send_chunk() {
    tail -c +$((sent + 1)) "$work/trace" | head -c 524288 >"$work/chunk"
    size=$(wc -c <"$work/chunk")
    http "$work/patch" PATCH "/api/v4/jobs/$JOB_ID/trace?debug_trace=false" 'Content-Type: text/plain' \
        "JOB-TOKEN: $JOB_TOKEN" "Content-Range: $sent-$((sent + size - 1))" -- "$work/chunk"
    heed
    case $STATUS in
    202)
        sent=$((sent + size)) failures=0 touched=$now
        ;;
    416) # GitLab has another length: it names the byte it wants next
        sent=${RANGE#*-} failures=$((failures + 1))
        case $sent in '' | *[!0-9]*) sent=0 ;; esac
        ;;
    *)
        failures=$((failures + 1))
        ;;
    esac
    # How often GitLab wants to hear of it: seldom as long as nobody looks.
    case $TRACE_INTERVAL in '' | 0 | *[!0-9]*) ;; *) interval=$TRACE_INTERVAL ;; esac
    [ "$interval" -le 900 ] || interval=900
}

# Ends the script that runs: when its time is over, or when the job is to stop. Politely first.
watch_script() {
    read -r script_pid limit limit_reason 2>/dev/null <"$work/script" || return
    if [ "$now" -ge "$limit" ]; then
        [ "$limit_reason" = after_script ] || stop_job "$limit_reason"
        end_script
    elif [ -e "$work/stop" ] && [ "$limit_reason" != after_script ]; then
        end_script
    fi
}

end_script() {
    if [ "$ended_pid" != "$script_pid" ]; then
        ended_pid=$script_pid ended_at=$now
        kill -TERM "-$script_pid" 2>/dev/null
    elif [ $((now - ended_at)) -ge 10 ]; then
        kill -KILL "-$script_pid" 2>/dev/null
    fi
}

# A small HTTP client over nc, for the agent and the shell runner. To be sourced.
#
# HTTP/1.0 on purpose: the answer then is never chunked and ends with the connection.
# (busybox 1.35's own wget crashes when given a time limit, and cannot PUT or PATCH.)

http_cr=$(printf '\r')

# http_at URL: where the following requests go. Only http: the way to the app does not leave this machine's host.
http_at() {
    http_host=${1#http://}
    http_base=/${http_host#*/}
    [ "$http_host" = "${http_host#*/}" ] && http_base=
    http_base=${http_base%/}
    http_host=${http_host%%/*}
    http_port=${http_host##*:}
    http_host=${http_host%:*}
    [ "$http_port" != "$http_host" ] || http_port=80
}

# http OUT METHOD PATH [HEADER]... [-- BODY-FILE...]
# Leaves the body of the answer in OUT.body and sets STATUS (000: no whole answer) and what these headers said, empty
# where they were absent: JOB_STATUS, RANGE, TRACE_INTERVAL, RETRY_AFTER. HTTP_TIMEOUT limits the seconds it may take.
http() {
    http_out=$1
    http_request="$2 $http_base$3 HTTP/1.0$http_cr
Host: $http_host:$http_port$http_cr
Connection: close$http_cr
"
    http_method=$2
    shift 3
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        http_request="$http_request$1$http_cr
"
        shift
    done
    [ $# -eq 0 ] || shift
    if [ "$http_method" != GET ]; then
        http_length=0
        for http_file; do
            http_length=$((http_length + $(wc -c <"$http_file")))
        done
        http_request="${http_request}Content-Length: $http_length$http_cr
"
    fi
    rm -f "$http_out.head" "$http_out.body"
    # nc would shut its sending half down at the end of its input, which many servers take for a hang-up. A pipe that
    # this shell holds open has no end; nc ends with the connection.
    [ -p "$http_out.pipe" ] || mkfifo "$http_out.pipe"
    exec 4<>"$http_out.pipe"
    {
        printf '%s\r\n' "$http_request"
        [ $# -eq 0 ] || cat "$@"
    } >&4 2>/dev/null &
    http_writer=$!
    # Without the other descriptors: timeout leaves a watcher behind that ends up to a second later.
    timeout "${HTTP_TIMEOUT:-60}" nc "$http_host" "$http_port" <&4 2>/dev/null 3>&- 4>&- | http_answer
    exec 4<&-
    kill "$http_writer" 2>/dev/null
    wait "$http_writer" 2>/dev/null
    STATUS=000 JOB_STATUS='' RANGE='' TRACE_INTERVAL='' RETRY_AFTER=''
    if [ -e "$http_out.head" ]; then
        {
            read -r STATUS
            read -r JOB_STATUS
            read -r RANGE
            read -r TRACE_INTERVAL
            read -r RETRY_AFTER
            read -r http_length
        } <"$http_out.head"
        # An answer that was cut short is none.
        [ -z "$http_length" ] || [ "$(wc -c <"$http_out.body")" -eq "$http_length" ] || STATUS=000
    fi
}

# Reads an answer: the shell takes the head a byte at a time, so that the body is left whole for cat.
http_answer() {
    IFS=' ' read -r http_version status _ || return
    case $http_version:$status in HTTP/1.[01]:[1-5][0-9][0-9]*) ;; *) return ;; esac
    status=${status%"$http_cr"}
    job_status='' range='' interval='' retry='' length=''
    while IFS= read -r line; do
        line=${line%"$http_cr"}
        [ -n "$line" ] || break
        value=${line#*:}
        value=${value# }
        case $line in
        [Jj][Oo][Bb]-[Ss][Tt][Aa][Tt][Uu][Ss]:*) job_status=$value ;;
        [Rr][Aa][Nn][Gg][Ee]:*) range=$value ;;
        [Xx]-[Gg][Ii][Tt][Ll][Aa][Bb]-[Tt][Rr][Aa][Cc][Ee]-[Uu][Pp][Dd][Aa][Tt][Ee]-*:*) interval=$value ;;
        [Rr][Ee][Tt][Rr][Yy]-[Aa][Ff][Tt][Ee][Rr]:*) retry=$value ;;
        [Cc][Oo][Nn][Tt][Ee][Nn][Tt]-[Ll][Ee][Nn][Gg][Tt][Hh]:*) length=$value ;;
        esac
    done
    cat >"$http_out.body"
    printf '%s\n' "$status" "$job_status" "$range" "$interval" "$retry" "$length" >"$http_out.head"
}

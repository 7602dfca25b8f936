# A small HTTP client over nc, for the agent and the shell runner. To be sourced.
#
# busybox 1.35's own wget crashes when given a time limit, and cannot PUT or PATCH.

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
# where they were absent: JOB_STATUS, RANGE, TRACE_INTERVAL. HTTP_TIMEOUT limits the seconds it may take.
http() {
    http_out=$1
    http_method=$2
    http_request="$2 $http_base$3 HTTP/1.1$http_cr
Host: $http_host:$http_port$http_cr
Connection: close$http_cr
"
    shift 3
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        http_request="$http_request$1$http_cr
"
        shift
    done
    [ $# -eq 0 ] || shift
    if [ "$http_method" != GET ]; then
        http_request="${http_request}Content-Length: $(http_size "$@")$http_cr
"
    fi
    [ -p "$http_out.to" ] || mkfifo "$http_out.to" "$http_out.from"
    # Held open here, the pipe to nc has no end, and neither has the connection: a server may take the end of what is
    # sent for a hang-up, and what lies between may keep the end of an answer to itself. The answer says how long it is.
    # Pipes are opened for both directions first, because that never waits: a signal would break it off.
    exec 4<>"$http_out.to" 5<>"$http_out.from"
    # Without other descriptors: timeout leaves a watcher behind that ends up to a second later.
    timeout "${HTTP_TIMEOUT:-60}" nc "$http_host" "$http_port" <&4 >&5 2>/dev/null 3>&- 4>&- 5>&- &
    http_nc=$!
    {
        printf '%s\r\n' "$http_request"
        [ $# -eq 0 ] || cat "$@"
    } >&4 2>/dev/null 3>&- 5>&- &
    http_writer=$!
    # From here on only nc can write to it: it ends with nc.
    exec 6<"$http_out.from" 5>&-
    http_answer <&6
    {
        kill "$http_nc" "$http_writer"
        wait "$http_nc" "$http_writer"
    } 2>/dev/null
    exec 4<&- 6<&-
}

http_size() {
    http_sum=0
    for http_file; do
        http_sum=$((http_sum + $(wc -c <"$http_file")))
    done
    echo "$http_sum"
}

# Reads an answer: the shell takes the head a byte at a time, so that the body is left whole for others.
http_answer() {
    STATUS=000 JOB_STATUS='' RANGE='' TRACE_INTERVAL=''
    : >"$http_out.body"
    IFS=' ' read -r http_version http_status _ || return
    http_status=${http_status%"$http_cr"}
    case $http_version:$http_status in HTTP/1.[01]:[1-5][0-9][0-9]) ;; *) return ;; esac
    http_length='' http_encoding=''
    while IFS= read -r http_line; do
        http_line=${http_line%"$http_cr"}
        [ -n "$http_line" ] || break
        http_value=${http_line#*:}
        http_value=${http_value# }
        case $http_line in
        [Jj][Oo][Bb]-[Ss][Tt][Aa][Tt][Uu][Ss]:*) JOB_STATUS=$http_value ;;
        [Rr][Aa][Nn][Gg][Ee]:*) RANGE=$http_value ;;
        [Xx]-[Gg][Ii][Tt][Ll][Aa][Bb]-[Tt][Rr][Aa][Cc][Ee]-[Uu][Pp][Dd][Aa][Tt][Ee]-*:*) TRACE_INTERVAL=$http_value ;;
        [Cc][Oo][Nn][Tt][Ee][Nn][Tt]-[Ll][Ee][Nn][Gg][Tt][Hh]:*) http_length=$http_value ;;
        [Tt][Rr][Aa][Nn][Ss][Ff][Ee][Rr]-[Ee][Nn][Cc][Oo][Dd][Ii][Nn][Gg]:*) http_encoding=$http_value ;;
        esac
    done
    case $http_status:$http_encoding:$http_length in
    204:* | 304:* | *::0) ;;
    *:chunked:*) http_chunks || return ;;
    *::) cat >"$http_out.body" ;;
    *)
        head -c "$http_length" >"$http_out.body"
        # An answer that was cut short is none.
        [ "$(wc -c <"$http_out.body")" -eq "$http_length" ] || return
        ;;
    esac
    STATUS=$http_status
}

# A body in pieces, each behind its length; a piece of length 0 is the end.
http_chunks() {
    http_whole=0
    while IFS=" ;$http_cr" read -r http_length _; do
        case $http_length in '' | *[!0-9A-Fa-f]*) return 1 ;; esac
        http_length=$((0x$http_length))
        [ "$http_length" -gt 0 ] || break
        # Unlike head, dd takes no byte more than it is told to.
        dd bs="$http_length" count=1 iflag=fullblock >>"$http_out.body" 2>/dev/null
        http_whole=$((http_whole + http_length))
        IFS= read -r _
    done
    [ "$http_length" = 0 ] && [ "$(wc -c <"$http_out.body")" -eq "$http_whole" ]
}

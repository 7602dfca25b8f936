# Artifacts of earlier jobs and of this one. To be sourced.

# Gets the artifacts of the jobs this one depends on. Fails where one cannot be had.
download_artifacts() {
    [ "$DEPENDENCIES" -gt 0 ] || return 0
    section download_artifacts 'Downloading artifacts'
    i=0
    while [ "$i" -lt "$DEPENDENCIES" ]; do
        eval "id=\$DEPENDENCY_${i}_ID name=\$DEPENDENCY_${i}_NAME token=\$DEPENDENCY_${i}_TOKEN"
        say "Downloading the artifacts of $name ($id)"
        tries=1
        until HTTP_TIMEOUT=3600 http "$work/download" GET "/api/v4/jobs/$id/artifacts" "JOB-TOKEN: $token" &&
            [ "$STATUS" = 200 ]; do
            case $STATUS in 401 | 403 | 404) tries=3 ;; esac
            if [ "$tries" -ge 3 ]; then
                say_red "ERROR: the artifacts of $name cannot be had: $(status_text)"
                return 1
            fi
            tries=$((tries + 1))
            sleep 1
        done
        if ! (cd "$PROJECT_DIR" && unzip -o -q "$work/download.body") >&3 2>&1; then
            say_red "ERROR: the artifacts of $name do not unpack"
            return 1
        fi
        rm -f "$work/download.body"
        i=$((i + 1))
    done
}

# upload_artifacts OUTCOME: sends what the job declared for a success or a failure. Fails where one cannot be sent.
upload_artifacts() {
    uploaded=0
    artifact=0
    while [ "$artifact" -lt "$ARTIFACTS" ]; do
        eval "when=\$ARTIFACT_${artifact}_WHEN"
        case $when:$1 in
        always:* | on_success:success | on_failure:failure)
            section "upload_artifacts_on_$1" "Uploading artifacts on $1"
            upload_artifact "$artifact" || uploaded=1
            ;;
        esac
        artifact=$((artifact + 1))
    done
    return "$uploaded"
}

upload_artifact() {
    eval "name=\$ARTIFACT_$1_NAME type=\$ARTIFACT_$1_TYPE format=\$ARTIFACT_$1_FORMAT"
    eval "expire_in=\$ARTIFACT_$1_EXPIRE_IN untracked=\$ARTIFACT_$1_UNTRACKED"
    touch "$work/include-$1" "$work/exclude-$1"
    artifact_paths "$1" >"$work/paths"
    count=$(wc -l <"$work/paths")
    if [ "$count" -eq 0 ]; then
        warn "nothing to upload as $type: no file matches $(tr '\n' ' ' <"$work/include-$1")"
        return 0
    fi
    say "Uploading $count files and folders as $type ($format)"
    case $format in
    zip)
        (cd "$PROJECT_DIR" && zip_archive "$work/upload" <"$work/paths") || format=
        name=${name:-artifacts}.zip
        ;;
    gzip)
        (cd "$PROJECT_DIR" && artifact_files <"$work/paths" | while IFS= read -r path; do
            gzip -c <"./$path" || exit
        done >"$work/upload") || format=
        name=${name:-artifacts}.gz
        ;;
    raw)
        path=$(cd "$PROJECT_DIR" && artifact_files <"$work/paths" | head -n 1)
        name=$(printf '%s' "${path##*/}" | tr -c 'A-Za-z0-9_.-' _)
        cp "$PROJECT_DIR/$path" "$work/upload" || format=
        ;;
    *)
        say_red "ERROR: this runner does not know the artifact format $format"
        return 1
        ;;
    esac
    if [ -z "$format" ]; then
        say_red 'ERROR: the archive cannot be made; it or one of its files may have more than 4 GiB, or the disk is full'
        return 1
    fi
    send_artifact "$name" "artifact_format=$format&artifact_type=$type${expire_in:+&expire_in=$expire_in}"
}

# What of the project a declaration selects, one path a line.
artifact_paths() {
    (
        cd "$PROJECT_DIR" || exit
        find . -mindepth 1 -path ./.git -prune -o -print | sed 's,^\./,,' |
            INCLUDE=$work/include-$1 EXCLUDE=$work/exclude-$1 PROJECT_DIR=$PROJECT_DIR awk -f "$here/select.awk"
        if [ -n "$untracked" ] && [ -d .git ]; then
            printf '**\n' >"$work/everything"
            git -c core.quotePath=false ls-files --others |
                INCLUDE=$work/everything EXCLUDE=$work/exclude-$1 PROJECT_DIR=$PROJECT_DIR awk -f "$here/select.awk"
        fi
    ) | awk '!seen[$0]++'
}

# Of the paths on the input, those of files.
artifact_files() {
    while IFS= read -r path; do
        [ ! -f "./$path" ] || printf '%s\n' "$path"
    done
}

# send_artifact FILENAME QUERY: sends the file `upload`.
send_artifact() {
    boundary=forrest-bench-$(od -A n -N 12 -t x1 /dev/urandom | tr -d ' \n')
    printf -- '--%s\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\nContent-Type: application/octet-stream\r\n\r\n' \
        "$boundary" "$1" >"$work/upload.head"
    printf '\r\n--%s--\r\n' "$boundary" >"$work/upload.tail"
    tries=1
    while :; do
        HTTP_TIMEOUT=3600 http "$work/uploaded" POST "/api/v4/jobs/$JOB_ID/artifacts?$2" "JOB-TOKEN: $JOB_TOKEN" \
            "Content-Type: multipart/form-data; boundary=$boundary" \
            -- "$work/upload.head" "$work/upload" "$work/upload.tail"
        case $STATUS in
        201) break ;;
        403 | 413) tries=6 ;;
        503) ;;
        *) [ "$tries" -lt 3 ] || tries=6 ;;
        esac
        if [ "$tries" -ge 6 ]; then
            say_red "ERROR: uploading failed: $(status_text)"
            break
        fi
        tries=$((tries + 1))
        sleep 1
    done
    rm -f "$work/upload"*
    [ "$STATUS" = 201 ]
}

status_text() {
    case $STATUS in
    000) echo 'no answer' ;;
    401 | 403) echo "GitLab does not allow it ($STATUS)" ;;
    404) echo 'GitLab has none (404)' ;;
    413) echo 'larger than GitLab allows (413)' ;;
    *) echo "GitLab answers $STATUS" ;;
    esac
}

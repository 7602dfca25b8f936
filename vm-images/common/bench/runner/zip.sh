# Writes zip archives with no more than gzip: what it makes of a file is, without its head of 10 bytes and its tail of
# 8, just the compressed data a zip archive has in it, and the tail is the checksum and the length. To be sourced.

# zip_numbers SIZE VALUE...: appends values of SIZE bytes, little end first, to `zip_bytes`, as printf escapes.
zip_numbers() {
    zip_size=$1
    shift
    for zip_value; do
        zip_left=$zip_size
        while [ "$zip_left" -gt 0 ]; do
            zip_bytes="$zip_bytes\\$((zip_value >> 6 & 3))$((zip_value >> 3 & 7))$((zip_value & 7))"
            zip_value=$((zip_value >> 8))
            zip_left=$((zip_left - 1))
        done
    done
}

# zip_archive ARCHIVE: writes an archive of the files, folders and links whose paths, relative to the current folder,
# are on the input, one a line. Needs room for the largest of them, compressed, beside the archive. All entries carry the
# time of the archive. Fails where a file has 4 GiB or more, or the archive would.
zip_archive() {
    zip_out=$1
    : >"$zip_out"
    : >"$zip_out.directory"
    zip_offset=0
    zip_count=0
    zip_date=$(date '+%Y %m %d %H %M %S')
    zip_dos_time "$zip_date"
    while IFS= read -r zip_path; do
        zip_entry "$zip_path" || return 1
    done
    zip_directory_size=$(wc -c <"$zip_out.directory")
    cat "$zip_out.directory" >>"$zip_out"
    zip_bytes=
    zip_numbers 4 $((0x06054b50))
    zip_numbers 2 0 0 "$zip_count" "$zip_count"
    zip_numbers 4 "$zip_directory_size" "$zip_offset"
    zip_numbers 2 0
    printf "$zip_bytes" >>"$zip_out"
    rm -f "$zip_out.directory" "$zip_out.entry" "$zip_out.link"
    [ "$zip_count" -lt 65535 ] && [ "$zip_offset" -lt 4294967295 ]
}

zip_dos_time() {
    # A leading zero would make the number octal.
    set -- $(echo "$1" | sed 's/ 0/ /g')
    zip_day=$(((($1 - 1980) << 9) | ($2 << 5) | $3))
    zip_time=$((($4 << 11) | ($5 << 5) | ($6 / 2)))
}

zip_entry() {
    zip_name=$1
    zip_mode=$(stat -c %f "./$1") || return 0 # gone meanwhile
    zip_mode=$((0x$zip_mode))
    zip_method=8 zip_crc='\000\000\000\000' zip_length=0 zip_packed=0
    case $((zip_mode >> 12)) in
    4) # a folder
        zip_name=$1/ zip_method=0
        : >"$zip_out.entry"
        ;;
    10) # a link: its target is what it contains, and must not be compressed
        readlink -n "./$1" >"$zip_out.link"
        gzip -c <"$zip_out.link" >"$zip_out.entry" || return 1
        zip_method=0
        ;;
    8)
        zip_length=$(stat -c %s "./$1")
        [ "$zip_length" -lt 4294967295 ] || return 1
        gzip -c <"./$1" >"$zip_out.entry" || return 1
        ;;
    *) return 0 ;; # sockets, pipes, devices
    esac
    if [ -s "$zip_out.entry" ]; then
        set -- $(tail -c 8 "$zip_out.entry" | od -A n -t o1)
        zip_crc="\\$1\\$2\\$3\\$4"
        # The length as gzip saw it: the file may have grown since.
        zip_length=$((0$5 | 0$6 << 8 | 0$7 << 16 | 0$8 << 24))
        zip_packed=$(($(wc -c <"$zip_out.entry") - 18))
        [ "$zip_method" = 8 ] || zip_packed=$zip_length
    fi
    # Version 2.0; names are UTF-8 (bit 11).
    zip_bytes=
    zip_numbers 2 20 $((1 << 11)) "$zip_method" "$zip_time" "$zip_day"
    zip_bytes=$zip_bytes$zip_crc
    zip_numbers 4 "$zip_packed" "$zip_length"
    zip_numbers 2 ${#zip_name} 0
    {
        printf "\120\113\003\004$zip_bytes"
        printf '%s' "$zip_name"
        if [ "$zip_method" = 8 ]; then
            tail -c +11 "$zip_out.entry" | head -c "$zip_packed"
        elif [ -s "$zip_out.entry" ]; then
            cat "$zip_out.link"
        fi
    } >>"$zip_out"
    zip_common=$zip_bytes
    zip_bytes=
    zip_numbers 2 0 0 0 # comment, disk, internal attributes
    zip_numbers 4 $((zip_mode << 16)) "$zip_offset"
    {
        # Made by version 2.0 on Unix, which is why the mode counts.
        printf "\120\113\001\002\024\003$zip_common$zip_bytes"
        printf '%s' "$zip_name"
    } >>"$zip_out.directory"
    zip_offset=$((zip_offset + 30 + ${#zip_name} + zip_packed))
    zip_count=$((zip_count + 1))
}

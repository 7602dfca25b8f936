# Writes JSON as lines "path TAB type TAB value", one for each leaf and each empty object or array.
#
# path   as in RFC 6901: /variables/0/key, with ~0 for ~ and ~1 for /
# type   s string, n number, b true or false, z null, o empty object, a empty array
# value  with \\ \n \r \t for these characters, so that it stays on its line; \u0000 is dropped
#
# The text is read in records that end with a quotation mark, which makes the work linear in its length: what is
# outside of strings is short and looked at by character, what is inside is taken whole.

BEGIN { RS = "\""; depth = 0 }

!inside {
    structure($0)
    inside = 1
    text = ""
    next
}

{
    match($0, /\\*$/)
    if (RLENGTH % 2) { # the quotation mark itself is escaped
        text = text $0 "\""
        next
    }
    inside = 0
    string(text $0)
}

# Everything between two strings.
function structure(s,    c, n) {
    gsub(/[ \t\r\n]/, "", s)
    while (s != "") {
        c = substr(s, 1, 1)
        if (c == "{" || c == "[") {
            depth++
            kind[depth] = c
            count[depth] = 0
            at_key = (c == "{")
            n = 1
        } else if (c == "}" || c == "]") {
            if (count[depth] == 0 && (c == "]" || at_key)) leaf_of(depth - 1, c == "}" ? "o" : "a", "")
            depth--
            count[depth]++
            n = 1
        } else if (c == ",") {
            at_key = (kind[depth] == "{")
            n = 1
        } else if (c == ":") {
            at_key = 0
            n = 1
        } else {
            match(s, /^[^][{},:]+/)
            n = RLENGTH
            literal(substr(s, 1, n))
        }
        s = substr(s, n + 1)
    }
}

function literal(word) {
    leaf(word == "null" ? "z" : word == "true" || word == "false" ? "b" : "n", word == "null" ? "" : word)
}

function string(s) {
    if (index(s, "\\")) s = unescape(s)
    if (!at_key) {
        leaf("s", s)
        return
    }
    if (index(s, "~")) gsub(/~/, "~0", s)
    if (index(s, "/")) gsub(/\//, "~1", s)
    key[depth] = s
}

function leaf(type, value) {
    leaf_of(depth, type, value)
    count[depth]++
}

function leaf_of(level, type, value,    path, i) {
    path = ""
    for (i = 1; i <= level; i++) path = path "/" (kind[i] == "{" ? key[i] : count[i])
    printf "%s\t%s\t%s\n", path, type, value
}

# From JSON's escapes to ours. Parts are split at backslashes: the first character of each says what was escaped, and
# an empty one that it was the backslash itself.
function unescape(s,    parts, n, i, c, out, code, low) {
    n = split(s, parts, "\\")
    out = parts[1]
    for (i = 2; i <= n; i++) {
        if (parts[i] == "") {
            out = out "\\\\" parts[++i]
            continue
        }
        c = substr(parts[i], 1, 1)
        if (c == "u") {
            code = hex(substr(parts[i], 2, 4))
            if (code >= 55296 && code < 56320 && i < n && length(parts[i]) == 5 && substr(parts[i + 1], 1, 1) == "u") {
                low = hex(substr(parts[i + 1], 2, 4))
                if (low >= 56320 && low < 57344) {
                    i++
                    code = 65536 + (code - 55296) * 1024 + low - 56320
                }
            }
            if (code >= 55296 && code < 57344) code = 65533
            out = out utf8(code) substr(parts[i], 6)
        } else if (c == "n" || c == "r" || c == "t") {
            out = out "\\" parts[i]
        } else {
            out = out (c == "b" ? "\b" : c == "f" ? "\f" : c) substr(parts[i], 2)
        }
    }
    return out
}

function hex(digits,    i, value) {
    value = 0
    for (i = 1; i <= 4; i++) value = value * 16 + index("0123456789abcdef", tolower(substr(digits, i, 1))) - 1
    return value
}

function utf8(code) {
    if (code == 0) return ""
    if (code == 10) return "\\n"
    if (code == 13) return "\\r"
    if (code == 9) return "\\t"
    if (code == 92) return "\\\\"
    if (code < 128) return sprintf("%c", code)
    if (code < 2048) return sprintf("%c%c", 192 + int(code / 64), 128 + code % 64)
    if (code < 65536) return sprintf("%c%c%c", 224 + int(code / 4096), 128 + int(code / 64) % 64, 128 + code % 64)
    return sprintf("%c%c%c%c", 240 + int(code / 262144), 128 + int(code / 4096) % 64, 128 + int(code / 64) % 64, 128 + code % 64)
}

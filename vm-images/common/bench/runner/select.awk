# Of the paths on its input, one a line and relative to the project, prints those that a pattern in the file INCLUDE
# selects and none in EXCLUDE drops. PROJECT_DIR is where they are. All from the environment.
#
# Patterns are those of artifacts: ** crosses folders, * and ? do not, [..] and {a,b} as in a shell. A pattern that
# selects a folder selects all that is in it.

BEGIN {
    while ((getline pattern <ENVIRON["INCLUDE"]) > 0) includes[++include_count] = "^" regex(relative(pattern)) "(/.*)?$"
    while ((getline pattern <ENVIRON["EXCLUDE"]) > 0) excludes[++exclude_count] = "^" regex(relative(pattern)) "$"
}

{
    if (!selected($0)) next
    for (i = 1; i <= exclude_count; i++) if ($0 ~ excludes[i]) next
    print
}

function selected(path,    i) {
    for (i = 1; i <= include_count; i++) if (path ~ includes[i]) return 1
    return 0
}

function relative(pattern,    root) {
    root = ENVIRON["PROJECT_DIR"] "/"
    if (index(pattern, root) == 1) pattern = substr(pattern, length(root) + 1)
    while (pattern ~ /^\.\//) pattern = substr(pattern, 3)
    sub(/\/+$/, "", pattern)
    return pattern == "." || pattern == "" ? "**" : pattern
}

function regex(glob,    out, c, i, n, braces, end) {
    out = ""
    n = length(glob)
    for (i = 1; i <= n; i++) {
        c = substr(glob, i, 1)
        if (substr(glob, i, 3) == "**/") {
            out = out "(.*/)?"
            i += 2
        } else if (substr(glob, i, 2) == "**") {
            out = out ".*"
            i++
        } else if (c == "*") {
            out = out "[^/]*"
        } else if (c == "?") {
            out = out "[^/]"
        } else if (c == "[" && (end = index(substr(glob, i + 2), "]")) > 0) {
            c = substr(glob, i + 1, end)
            sub(/^!/, "^", c)
            out = out "[" c "]"
            i += end + 1
        } else if (c == "{") {
            braces++
            out = out "("
        } else if (c == "}" && braces) {
            braces--
            out = out ")"
        } else if (c == "," && braces) {
            out = out "|"
        } else if (c == "\\" && i < n) {
            i++
            out = out literal(substr(glob, i, 1))
        } else {
            out = out literal(c)
        }
    }
    return out
}

function literal(c) {
    return c ~ /[A-Za-z0-9_\/ -]/ ? c : c == "^" || c == "\\" ? "\\" c : "[" c "]"
}

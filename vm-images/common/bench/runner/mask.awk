# Copies what the job prints into the trace, line by line, without what must not be seen: the values in the file MASKS
# and words that begin as one of MASK_PREFIXES. Stops copying, but not reading, at LIMIT bytes. All from the environment.

BEGIN {
    while ((getline line <ENVIRON["MASKS"]) > 0) masks[++count] = line
    while ((getline line <ENVIRON["MASK_PREFIXES"]) > 0) prefixes[++prefix_count] = line
    # The longest first: one value may be part of another.
    for (i = 2; i <= count; i++) {
        line = masks[i]
        for (j = i - 1; j > 0 && length(masks[j]) < length(line); j--) masks[j + 1] = masks[j]
        masks[j + 1] = line
    }
    limit = ENVIRON["LIMIT"] + 0
}

full { next }

{
    line = $0
    for (i = 1; i <= count; i++) if (index(line, masks[i])) line = without(line, masks[i])
    for (i = 1; i <= prefix_count; i++) if (index(line, prefixes[i])) line = without_words(line, prefixes[i])
    written += length(line) + 1
    if (written > limit) {
        line = "\033[33;1mJob's log exceeded limit of " limit " bytes: what follows is not shown.\033[0;m"
        full = 1
    }
    print line
    fflush()
}

function without(line, secret,    out, at) {
    out = ""
    while ((at = index(line, secret)) > 0) {
        out = out substr(line, 1, at - 1) "[MASKED]"
        line = substr(line, at + length(secret))
    }
    return out line
}

function without_words(line, prefix,    out, at) {
    out = ""
    while ((at = index(line, prefix)) > 0) {
        out = out substr(line, 1, at - 1) prefix "[MASKED]"
        line = substr(line, at + length(prefix))
        if (match(line, /^[A-Za-z0-9_=.-]+/)) line = substr(line, RLENGTH + 1)
    }
    return out line
}

# Reads a job as json.awk writes it and writes it into the folder WORK as files a shell reads:
#
# job             assignments of what the runner needs to know
# variables       exports of the job's variables; those of type file are written to files/NAME
# masks           values that may not be seen in the trace, one a line
# mask-prefixes   beginnings of tokens that may not be seen, one a line
# step-NAME.sh    the commands of a step or hook, each behind a line that shows it
# include-N, exclude-N   patterns of the artifacts' paths, one a line
#
# From the environment: WORK, BUILDS_DIR, CA_FILE, RUNNER_TOKEN, RUNNER_VERSION.

BEGIN {
    FS = "\t"
    work = ENVIRON["WORK"] "/"
    for (i = 32; i < 127; i++) printable = printable sprintf("%c", i)
}

{ value[$1] = decode($3); type[$1] = $2 }

END {
    variables()
    job()
    steps()
    artifacts()
    dependencies()
}

function job(    i, reasons, refspecs) {
    assign("JOB_ID", integer(value["/id"]))
    assign("JOB_TOKEN", value["/token"])
    assign("JOB_NAME", value["/job_info/name"])
    assign("JOB_TIMEOUT", integer(value["/runner_info/timeout"]) > 0 ? integer(value["/runner_info/timeout"]) : 7200)
    assign("TRACE_SECTIONS", value["/features/trace_sections"] == "true" ? 1 : "")
    for (i = 0; ("/features/failure_reasons/" i) in value; i++) reasons = reasons " " value["/features/failure_reasons/" i]
    assign("FAILURE_REASONS", reasons " ")
    assign("GIT_URL", value["/git_info/repo_url"])
    assign("GIT_SHA", value["/git_info/sha"])
    assign("GIT_REF", value["/git_info/ref"])
    assign("GIT_OBJECT_FORMAT", value["/git_info/repo_object_format"])
    assign("GIT_FETCH_DEPTH", integer(value["/git_info/depth"]))
    for (i = 0; ("/git_info/refspecs/" i) in value; i++) {
        refspecs = refspecs (i ? "\n" : "") value["/git_info/refspecs/" i]
    }
    assign("GIT_REFSPECS", refspecs)
    assign("GIT_STRATEGY", variable["GIT_STRATEGY"])
    assign("GIT_CHECKOUT", variable["GIT_CHECKOUT"])
    assign("GIT_SUBMODULE_STRATEGY", variable["GIT_SUBMODULE_STRATEGY"])
    assign("PROJECT_PATH", variable["CI_PROJECT_PATH"])
    assign("PROJECT_DIR", project_dir)
    assign("UNSUPPORTED", unsupported())
    assign("CACHE", ("/cache/0/key" in value) ? 1 : "")
}

# What this runner cannot do, in words; empty for most jobs.
function unsupported(    path) {
    if (value["/run"] != "") return "native steps (run:)"
    if (value["/image/name"] != "") return "container images (image:)"
    if ("/services/0/name" in value) return "services"
    for (path in value) if (index(path, "/secrets/") == 1) return "secrets from a vault (secrets:)"
    return ""
}

function variables(    i, at, name, path) {
    for (i = 0; ("/variables/" i "/key") in value; i++) {
        name = value["/variables/" i "/key"]
        set(name, value["/variables/" i "/value"], value["/variables/" i "/raw"] == "true", value["/variables/" i "/file"] == "true")
        if (value["/variables/" i "/masked"] == "true") mask(value["/variables/" i "/value"])
    }
    mask(value["/token"])
    mask(ENVIRON["RUNNER_TOKEN"])
    for (i = 0; ("/features/token_mask_prefixes/" i) in value; i++) {
        print value["/features/token_mask_prefixes/" i] >(work "mask-prefixes")
    }
    path = variable["CI_PROJECT_PATH"]
    # It becomes a folder: only of our own making if it is anything strange.
    if (path !~ /^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*$/ || path ~ /(^|\/)\.\.?(\/|$)/) path = "project"
    project_dir = ENVIRON["BUILDS_DIR"] "/" path
    set("CI_PROJECT_DIR", project_dir, 1, 0)
    set("CI_BUILDS_DIR", ENVIRON["BUILDS_DIR"], 1, 0)
    set("CI_RUNNER_VERSION", ENVIRON["RUNNER_VERSION"], 1, 0)
    set("CI_RUNNER_EXECUTABLE_ARCH", "linux/amd64", 1, 0)
    set("CI_CONCURRENT_ID", "0", 1, 0)
    set("CI_CONCURRENT_PROJECT_ID", "0", 1, 0)
    set("CI_DISPOSABLE_ENVIRONMENT", "true", 1, 0)
    set("CI_JOB_TIMEOUT", integer(value["/runner_info/timeout"]), 1, 0)
    set("CI", "true", 1, 0)
    set("GITLAB_CI", "true", 1, 0)
    if (ENVIRON["CA_FILE"] != "") set("CI_SERVER_TLS_CA_FILE", ENVIRON["CA_FILE"], 1, 0)
    for (i = 1; i <= names; i++) {
        name = name_of[i]
        at = raw[name] ? variable[name] : expand(variable[name])
        if (is_file[name]) {
            printf "%s", at >(work "files/" name)
            close(work "files/" name)
            at = work "files/" name
        }
        print "export " name "=" quote(at) >(work "variables")
    }
}

# The last of several values counts, at the place of the first. A name that is none for a shell cannot be exported.
function set(name, text, is_raw, to_file) {
    if (name !~ /^[A-Za-z_][A-Za-z0-9_]*$/) return
    if (!(name in variable)) name_of[++names] = name
    variable[name] = text
    raw[name] = is_raw
    is_file[name] = to_file
}

# $NAME and ${NAME} once, from values that are not expanded themselves; $$ is a dollar.
function expand(text,    out, n, name) {
    out = ""
    while ((n = index(text, "$")) > 0) {
        out = out substr(text, 1, n - 1)
        text = substr(text, n + 1)
        if (substr(text, 1, 1) == "$") {
            out = out "$"
            text = substr(text, 2)
        } else if (match(text, /^[{][A-Za-z_][A-Za-z0-9_]*[}]/)) {
            name = substr(text, 2, RLENGTH - 2)
            text = substr(text, RLENGTH + 1)
            out = out named(name)
        } else if (match(text, /^[A-Za-z_][A-Za-z0-9_]*/)) {
            name = substr(text, 1, RLENGTH)
            text = substr(text, RLENGTH + 1)
            out = out named(name)
        } else {
            out = out "$"
        }
    }
    return out text
}

function named(name) {
    if (!(name in variable)) return ""
    return is_file[name] ? work "files/" name : variable[name]
}

# A value of several lines is hidden line by line; a very short one would hide half of the trace.
function mask(text,    lines, n, i) {
    n = split(text, lines, "\n")
    for (i = 1; i <= n; i++) {
        sub(/\r$/, "", lines[i])
        if (length(lines[i]) >= 4) print lines[i] >(work "masks")
    }
}

function steps(    i, name, order) {
    for (i = 0; ("/steps/" i "/name") in value; i++) {
        name = value["/steps/" i "/name"]
        if (name !~ /^[a-z_]+$/) continue
        script("/steps/" i "/script/", "step-" name ".sh")
        if (name != "after_script") order = order (order == "" ? "" : " ") name
    }
    for (i = 0; ("/hooks/" i "/name") in value; i++) {
        name = value["/hooks/" i "/name"]
        if (name ~ /^[a-z_]+$/) script("/hooks/" i "/script/", "step-" name ".sh")
    }
    assign("STEPS", order)
}

function script(path, file,    i, command, first, n) {
    for (i = 0; (path i) in value; i++) {
        command = value[path i]
        first = command
        if ((n = index(command, "\n")) > 0) first = substr(command, 1, n - 1) " # collapsed multi-line command"
        print "printf '%s\\n' " quote("\033[32;1m$ " first "\033[0;m") >(work file)
        print command >(work file)
    }
}

function artifacts(    i, at, j) {
    for (i = 0; ("/artifacts/" i "/artifact_type") in value || ("/artifacts/" i "/paths/0") in value || ("/artifacts/" i "/when") in value; i++) {
        at = "/artifacts/" i "/"
        assign("ARTIFACT_" i "_NAME", file_name(expand(value[at "name"])))
        assign("ARTIFACT_" i "_TYPE", value[at "artifact_type"] == "" ? "archive" : value[at "artifact_type"])
        assign("ARTIFACT_" i "_FORMAT", value[at "artifact_format"] == "" ? "zip" : value[at "artifact_format"])
        assign("ARTIFACT_" i "_WHEN", value[at "when"] == "" ? "on_success" : value[at "when"])
        assign("ARTIFACT_" i "_EXPIRE_IN", url_encode(value[at "expire_in"]))
        assign("ARTIFACT_" i "_UNTRACKED", value[at "untracked"] == "true" ? 1 : "")
        for (j = 0; (at "paths/" j) in value; j++) print expand(value[at "paths/" j]) >(work "include-" i)
        for (j = 0; (at "exclude/" j) in value; j++) print expand(value[at "exclude/" j]) >(work "exclude-" i)
    }
    assign("ARTIFACTS", i)
}

# Those that have a file.
function dependencies(    i, n, at) {
    n = 0
    for (i = 0; ("/dependencies/" i "/id") in value; i++) {
        at = "/dependencies/" i "/"
        if (!((at "artifacts_file/filename") in value)) continue
        assign("DEPENDENCY_" n "_ID", integer(value[at "id"]))
        assign("DEPENDENCY_" n "_NAME", value[at "name"])
        assign("DEPENDENCY_" n "_TOKEN", value[at "token"])
        n++
    }
    assign("DEPENDENCIES", n)
}

function file_name(text) {
    gsub(/[^A-Za-z0-9_.-]/, "_", text)
    return text
}

function integer(text) {
    return text ~ /^[0-9]+$/ ? text : 0
}

function url_encode(text,    i, c, out) {
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        out = out (c ~ /[A-Za-z0-9_.-]/ ? c : sprintf("%%%02X", index(printable, c) + 31))
    }
    return out
}

function assign(name, text) {
    print name "=" quote(text) >(work "job")
}

# Within single quotes a shell reads everything as it is, but for the quote itself.
function quote(text) {
    gsub(/'/, "'\\''", text)
    return "'" text "'"
}

function decode(text,    parts, n, i, out) {
    if (!index(text, "\\")) return text
    n = split(text, parts, "\\")
    out = parts[1]
    for (i = 2; i <= n; i++) {
        if (parts[i] == "") out = out "\\" parts[++i]
        else if (parts[i] ~ /^n/) out = out "\n" substr(parts[i], 2)
        else if (parts[i] ~ /^r/) out = out "\r" substr(parts[i], 2)
        else out = out "\t" substr(parts[i], 2)
    }
    return out
}

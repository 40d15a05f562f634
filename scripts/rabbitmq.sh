#!/bin/sh
# See to it that a RabbitMQ is there for the tests of redriving; they start one of their own and skip without it.
set -eu
[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] && exit 0
echo "No RabbitMQ found; trying to install Debian's"
# The package would start a broker at once; the tests start their own.
if [ "$(id -u)" = 0 ] && [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
sh "$(dirname "$0")/apt.sh" rabbitmq-server || {
    echo "The tests of redriving need RabbitMQ and are skipped. As root: apt-get install rabbitmq-server" >&2
    exit 0
}

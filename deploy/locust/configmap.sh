#!/bin/sh
# The load tests as a ConfigMap on standard output: deploy/locust/configmap.sh | kubectl -n NAMESPACE apply -f -
set -eu
cd "$(dirname "$0")/../.."
exec kubectl create configmap loadtests --dry-run=client --output yaml \
    --from-file=deploy/locust/locustfile.py \
    --from-file=loadtests/pace.py --from-file=loadtests/rate.py --from-file=loadtests/record.py \
    --from-file=loadtests/users/plain.py --from-file=loadtests/shapes/step.py

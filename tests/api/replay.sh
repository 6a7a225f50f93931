#!/bin/sh
# Run the documented command lines as they are written, against servers that are up and freshly seeded.
#
# Only addresses, credentials and ids are put in their place. Wanted in the environment: SECURED, ANONYMOUS, REGISTRY
# (http://host:port), API_KEY, TOKEN, PASSWORD, DETECTOR_ID, DATASET_ID. Prints a line a command, and how many passed.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
passed=0
count=0
server=$SECURED

awk 'BEGIN { print "age,income,purchases,region,buys"
    for (n = 0; n < 120; n++) print 20 + n % 50 "," 30000 + n * 317 % 60000 "," n % 9 "," (n % 2 ? "west" : "east") "," (n % 9 > 4 ? "yes" : "no") }' >data.csv
awk 'BEGIN { print "amount,merchant_category,is_fraud"
    for (n = 0; n < 120; n++) print n * 37 % 1500 "," (n % 3 ? "grocery" : "travel") "," (n % 20 == 0) }' >transaction_data.csv

curl() { # as curl, but keeps status and headers
    command curl --silent --show-error --max-time 120 --dump-header "$work/headers" --output "$work/body" \
        --write-out '%{http_code}' "$@" >"$work/status" 2>"$work/said"
    cat "$work/body"
}

field() { # field NAME: a text of the last answer
    sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$work/body"
}

# run ID STATUS PATTERN: the command on standard input must give this status, and an answer (headers, body) like this
run() {
    id=$1 wanted=$2 pattern=$3
    count=$((count + 1))
    sed -e "s|http://localhost:8000|$server|g" -e "s|http://localhost:5000|$REGISTRY|g" \
        -e "s|your-api-key|$API_KEY|g" -e "s|Bearer TOKEN|Bearer $TOKEN|g" -e "s|your_password|$PASSWORD|g" \
        -e "s|123e4567-e89b-12d3-a456-426614174000|$DETECTOR_ID|g" \
        -e "s|456e7890-e89b-12d3-a456-426614174000|$DATASET_ID|g" \
        -e "s|file_abc123|${file_id:-}|g" -e "s|job_xyz789|${job_id:-}|g" -e "s|model_def456|${model_id:-}|g" \
        >"$work/command"
    : >"$work/status"
    # shellcheck source=/dev/null
    . "$work/command" >"$work/out" 2>"$work/err"
    if [ "$(cat "$work/status")" = "$wanted" ] && cat "$work/headers" "$work/body" | grep -Eq "$pattern"; then
        passed=$((passed + 1))
        echo "$id passed"
    else
        echo "$id FAILED: $(cat "$work/status"), wanted $wanted and $pattern: $(head -c 400 "$work/body") $(cat "$work/said")"
    fi
}

echo "# S0, secured"
run C0-1 200 '"event_published".*"custom-correlation-123"' <<'COMMAND'
curl -X POST "http://localhost:8000/api/v1/data/ingest" \
  -H "X-API-Key: your-api-key" \
  -H "X-Request-ID: custom-correlation-123" \
  -H "Idempotency-Key: unique-operation-456" \
  -H "Content-Type: application/json" \
  -d '{
    "sensor_id": "TEMP_001",
    "value": 85.5,
    "sensor_type": "temperature",
    "unit": "celsius",
    "location": "Factory Floor A"
  }'
COMMAND
run C0-2 200 '"report_id": *"rpt_' <<'COMMAND'
curl -X POST "http://localhost:8000/api/v1/reports/generate" \
  -H "X-API-Key: your-api-key" \
  -H "X-Request-ID: report-correlation-789" \
  -H "Content-Type: application/json" \
  -d '{
    "report_type": "anomaly_summary",
    "format": "json",
    "time_range_start": "2025-05-11T00:00:00Z",
    "time_range_end": "2025-06-11T00:00:00Z",
    "include_charts": true
  }'
COMMAND
run C0-3 201 '"status": *"success"' <<'COMMAND'
curl -X POST "http://localhost:8000/api/v1/decisions/submit" \
  -H "X-API-Key: your-api-key" \
  -H "X-Request-ID: decision-correlation-101" \
  -H "Content-Type: application/json" \
  -d '{
    "request_id": "req_maintenance_123",
    "decision": "approve",
    "justification": "Temperature anomaly requires immediate attention",
    "operator_id": "operator_001"
  }'
COMMAND
run C0-4 200 '"components"' <<'COMMAND'
curl -H "X-API-Key: your-api-key" "http://localhost:8000/health/detailed"
COMMAND
run C0-5 200 '(http_requests|python_gc)' <<'COMMAND'
curl "http://localhost:8000/metrics" | grep -E "(http_requests|python_gc)"
COMMAND
run C0-6 200 '"prediction"' <<'COMMAND'
curl -X POST "http://localhost:8000/api/v1/ml/predict" \
  -H "X-API-Key: your-api-key" \
  -H "Content-Type: application/json" \
  -d '{
    "model_name": "ai4i_classifier_randomforest_baseline",
    "model_version": "auto",
    "features": {
      "Air_temperature_K": 298.1,
      "Process_temperature_K": 308.6,
      "Rotational_speed_rpm": 1551,
      "Torque_Nm": 42.8,
      "Tool_wear_min": 108
    }
  }'
COMMAND
run C0-7 200 '"drift_detected": *false' <<'COMMAND'
curl -X POST "http://localhost:8000/api/v1/ml/check_drift" \
  -H "X-API-Key: your-api-key" \
  -H "Content-Type: application/json" \
  -d '{
    "sensor_id": "sensor_001",
    "window_minutes": 60,
    "p_value_threshold": 0.05,
    "min_samples": 30
  }'
COMMAND
run C0-8 200 '"registered_models"' <<'COMMAND'
curl http://localhost:5000/api/2.0/mlflow/registered-models/list
COMMAND
run C0-9 200 '"model_versions".*anomaly_detector_refined_v2' <<'COMMAND'
curl -X POST http://localhost:5000/api/2.0/mlflow/registered-models/get-latest-versions \
  -H "Content-Type: application/json" \
  -d '{"name": "anomaly_detector_refined_v2"}'
COMMAND
run C0-10 200 '^[Xx]-[Rr]equest-[Ii][Dd]: test-trace-123' <<'COMMAND'
curl -H "X-Request-ID: test-trace-123" "http://localhost:8000/health" -v
COMMAND

if [ -n "${LOCUST:-}" ]; then # the two minutes of load; LOCUST: the program, beside its file
    count=$((count + 1))
    cd "$LOCUST_DIRECTORY" || exit 2
    if "$LOCUST" -f locustfile.py --host "$REGISTRY" \
        --users 5 --run-time "${LOCUST_TIME:-2m}" --headless --print-stats >"$work/load" 2>&1; then
        passed=$((passed + 1))
        echo "C0-11 passed"
    else
        echo "C0-11 FAILED: $(tail -n 30 "$work/load")"
    fi
    cd "$work" || exit 2
fi

echo "# S1, without credentials on loopback"
server=$ANONYMOUS
run C1-1 200 '"status": *"healthy"' <<'COMMAND'
curl http://localhost:8000/health
COMMAND
run C1-2 200 '"file_id"' <<'COMMAND'
curl -X POST -F "file=@data.csv" http://localhost:8000/api/upload
COMMAND
file_id=$(field file_id)
run C1-3 202 '"job_id"' <<'COMMAND'
curl -X POST -H "Content-Type: application/json" \
  -d '{"file_id":"file_abc123","model_type":"auto"}' \
  http://localhost:8000/api/train
COMMAND
job_id=$(field job_id)
run C1-4 200 '"status": *"(queued|in_progress|completed)"' <<'COMMAND'
curl http://localhost:8000/api/training/job_xyz789
COMMAND
for _ in $(seq 600); do
    curl "$ANONYMOUS/api/training/$job_id" >/dev/null
    model_id=$(field model_id)
    [ -n "$model_id" ] && break
    sleep 0.1
done
run C1-5 200 '"status": *"deployed"' <<'COMMAND'
curl -X POST http://localhost:8000/api/models/model_def456/deploy
COMMAND
run C1-6 200 '"predictions".*"confidence"' <<'COMMAND'
curl -X POST -H "Content-Type: application/json" \
  -d '{"data":[{"age":25,"income":50000,"purchases":2,"region":"west"}]}' \
  http://localhost:8000/api/predict/model_def456
COMMAND

echo "# S2, secured"
server=$SECURED
run C2-1 200 '"token_type": *"bearer"' <<'COMMAND'
curl -X POST "http://localhost:8000/api/auth/token" \
  -H "Content-Type: application/x-www-form-urlencoded" \
  -d "username=admin&password=your_password"
COMMAND
run C2-2 200 '"uptime_seconds"' <<'COMMAND'
curl "http://localhost:8000/api/health"
COMMAND
run C2-3 200 '"components"' <<'COMMAND'
curl "http://localhost:8000/api/health/detailed"
COMMAND
run C2-4 200 '^\[' <<'COMMAND'
curl -H "Authorization: Bearer TOKEN" \
  "http://localhost:8000/api/detectors?algorithm=IsolationForest&limit=10"
COMMAND
run C2-5 200 '"is_fitted"' <<'COMMAND'
curl -H "Authorization: Bearer TOKEN" \
  "http://localhost:8000/api/detectors/123e4567-e89b-12d3-a456-426614174000"
COMMAND
run C2-6 204 '' <<'COMMAND'
curl -X DELETE -H "Authorization: Bearer TOKEN" \
  "http://localhost:8000/api/detectors/123e4567-e89b-12d3-a456-426614174000"
COMMAND
run C2-7 200 '^\[' <<'COMMAND'
curl -H "Authorization: Bearer TOKEN" \
  "http://localhost:8000/api/datasets?format=csv&has_target=false"
COMMAND
run C2-8 201 '"target_column": *"is_fraud"' <<'COMMAND'
curl -X POST -H "Authorization: Bearer TOKEN" \
  -F "file=@transaction_data.csv" \
  -F "name=Transaction Data" \
  -F "description=Credit card transactions for fraud detection" \
  -F "target_column=is_fraud" \
  "http://localhost:8000/api/datasets"
COMMAND
run C2-9 200 '"sample_size": *5' <<'COMMAND'
curl -H "Authorization: Bearer TOKEN" \
  "http://localhost:8000/api/datasets/456e7890-e89b-12d3-a456-426614174000/sample?size=5"
COMMAND
run C2-10 200 '^\[' <<'COMMAND'
curl -H "Authorization: Bearer TOKEN" \
  "http://localhost:8000/api/experiments"
COMMAND
run C2-11 200 '"cpu_usage_percent"' <<'COMMAND'
curl -H "Authorization: Bearer TOKEN" \
  "http://localhost:8000/api/performance/metrics"
COMMAND

echo "$passed of $count"
[ "$passed" = "$count" ]

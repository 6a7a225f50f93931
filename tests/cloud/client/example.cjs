// The documented example of the JavaScript client, as CommonJS: example.cjs BASE_URL PASSWORD DATASET_ID ROW
const { LinesideClient } = require("../../../cloud/client/javascript/lineside.js");

async function main([baseUrl, password, datasetId, row]) {
  const client = new LinesideClient({ baseUrl, username: "admin", password });
  const detector = await client.detectors.create({
    name: "Fraud Detection",
    algorithm_name: "IsolationForest",
    contamination_rate: 0.1,
  });
  await client.detection.train({ detector_id: detector.id, dataset_id: datasetId });
  const judged = await client.detection.predict({ detector_id: detector.id, data: [JSON.parse(row)] });
  const missing = await client.datasets
    .get("0".repeat(32))
    .catch((error) => `${error.name} ${error.status} ${error.code}`);
  console.log(JSON.stringify({ predictions: judged.predictions.length, missing }));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});

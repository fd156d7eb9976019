import { type Job, printJson, renderTable } from "@skytools/skytools";
import { type Plan, stepId } from "./plan.ts";

/** Prints a plan without doing anything, as a table or as JSON, with what is done already. */
export async function printPlan(job: Job, plan: Plan): Promise<void> {
  const rows = [];
  for (const [index, step] of plan.steps.entries()) {
    const { name, node, action, doneWhen, undoneBy, isWait = false } = step;
    const isDone = await step.isDone();
    rows.push({ nr: index + 1, name, node, action, doneWhen, undoneBy, isWait, isDone });
  }
  if (job.json) {
    const steps = rows.map(({ nr, ...row }) => ({ nr, id: stepId(row), ...row }));
    printJson(job.stdout, { plan: plan.title, findings: plan.findings, workers: plan.workers, steps });
    return;
  }
  for (const { kind, text, hint } of plan.findings) {
    job.stdout.write(`${kind}: ${text}\n${hint === undefined ? "" : `  ${hint}\n`}`);
  }
  if (rows.length === 0) {
    job.stdout.write(`${plan.title}: nothing to do\n`);
    return;
  }
  job.stdout.write(
    renderTable(rows, {
      title: plan.title,
      columns: [
        { key: "nr", title: "step" },
        { key: "name", title: "name" },
        { key: "node", title: "node" },
        { key: "isDone", title: "state", format: (value) => (value === true ? "done" : "open") },
        {
          key: "undoneBy",
          title: "taken back by",
          format: (value) => (value === null ? "-" : String(value)),
        },
        { key: "action", title: "what it does" },
      ],
    }),
  );
}

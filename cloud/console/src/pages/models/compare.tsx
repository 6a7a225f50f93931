/** Champion against the chosen version: figure by figure, the difference in words. */
import type { ComponentChildren } from "preact";
import { Part } from "../../parts/beside";
import { Mark } from "../../parts/marks";
import { percent } from "../../parts/number";
import {
  championOf,
  comparison,
  type Difference,
  difference,
  direction,
  figuresOf,
  type ModelDetails,
  type Pair,
  type Version,
} from "../../stores/models";
import { t } from "../../text";
import { figure, metricName } from "./words";

export function Compared({ model, chosen }: { model: ModelDetails; chosen: Version }) {
  const champion = championOf(model);
  if (!champion || champion.version === chosen.version) return <Alone version={chosen} hasOther={Boolean(champion)} />;
  const found = comparison(champion, chosen);
  const verdict = found.isBetter === null ? "" : t(`models.compare_${found.isBetter ? "better" : "not_better"}`);
  return (
    <Part title={t("models.compare_title", { n: chosen.version })}>
      <p class="quiet">
        {t(found.isSameRows ? "models.compare_same_rows" : "models.compare_own_rows")} {verdict}
      </p>
      <Scrolled>
        <table class="compare">
          <thead>
            <tr>
              <th scope="col">{t("models.figure")}</th>
              <th scope="col" class="number">
                {t("models.champion")} ({champion.version})
              </th>
              <th scope="col" class="number">
                {t("models.chosen")} ({chosen.version})
              </th>
              <th scope="col">{t("models.difference")}</th>
            </tr>
          </thead>
          <tbody>
            {found.pairs.map((one) => (
              <Row key={one.metric} of={one} />
            ))}
          </tbody>
        </table>
      </Scrolled>
    </Part>
  );
}

function Scrolled({ children }: { children: ComponentChildren }) {
  return (
    <section
      class="compare-box"
      aria-label={t("models.figures")}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keys
      tabIndex={0}
    >
      {children}
    </section>
  );
}

function Row({ of }: { of: Pair }) {
  const way = direction(of.metric);
  return (
    <tr>
      <td>
        {metricName(of.metric)}
        {way && <span class="way">{t(`models.${way}_is_better`)}</span>}
      </td>
      <td class="number">{figure(of.metric, of.champion)}</td>
      <td class="number">{figure(of.metric, of.challenger)}</td>
      <td class="diff">
        <Told of={difference(of.metric, of.champion, of.challenger)} />
      </td>
    </tr>
  );
}

function Told({ of }: { of: Difference }) {
  const share = of.share === null ? "∞" : percent(of.share, of.share < 0.1 ? 1 : 0);
  const text = t(`models.diff_${of.verdict}`, { share });
  if (of.verdict === "worse") return <Mark of="warning">{text}</Mark>;
  if (of.verdict === "better") return <strong>{text}</strong>;
  return <span class="quiet">{text}</span>;
}

function Alone({ version, hasOther }: { version: Version; hasOther: boolean }) {
  const figures = figuresOf(version.metrics as Record<string, number>);
  return (
    <Part title={t("models.alone_title", { n: version.version })}>
      {!hasOther && <p class="quiet">{t("models.compare_none")}</p>}
      <Scrolled>
        <table class="compare alone">
          <tbody>
            {figures.map(([name, value]) => (
              <tr key={name}>
                <td>
                  {metricName(name)}
                  {direction(name) && <span class="way">{t(`models.${direction(name) as "more"}_is_better`)}</span>}
                </td>
                <td class="number">{figure(name, value)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolled>
    </Part>
  );
}

/** The head of a device's page: what it is, where it is, how it is, and what can be done with it. */
import type { ComponentChildren } from "preact";
import { Mark } from "../../parts/marks";
import { percent } from "../../parts/number";
import { PageHead } from "../../parts/panel";
import { Link } from "../../router";
import type { Device } from "../../stores/devices";
import { may } from "../../stores/session";
import { heardOf, isSilent } from "../../stores/silence";
import { t } from "../../text";
import { ago, at } from "../../time/zone";

export const gatewayOf = (device: Device): string =>
  typeof device.metadata?.source === "string" ? device.metadata.source : "";

export function Head({ device, since, children }: { device: Device; since: number; children: ComponentChildren }) {
  const gateway = gatewayOf(device);
  return (
    <div class="device-head">
      <PageHead title={device.device_name || device.device_id}>
        <div class="device-actions">{children}</div>
      </PageHead>
      <div class="device-facts">
        <Status device={device} since={since} />
        <HealthBar device={device} />
        {device.location && <span>{device.location}</span>}
        {device.device_type && <span class="quiet">{device.device_type}</span>}
        {gateway && (
          <span class="quiet">
            {t("common.gateway")}{" "}
            {may("gateways:read") ? (
              <Link to={`/system?gateway=${encodeURIComponent(gateway)}`}>{gateway}</Link>
            ) : (
              gateway
            )}
          </span>
        )}
      </div>
    </div>
  );
}

function Status({ device, since }: { device: Device; since: number }) {
  if (!isSilent(device, since)) return <Mark of={device.status} />;
  const heard = heardOf(device);
  return (
    <Mark of="offline">
      {Number.isFinite(heard)
        ? t("device.no_data_since", { time: at(heard, "seconds"), ago: ago(heard) })
        : t("device.never_heard")}
    </Mark>
  );
}

function HealthBar({ device }: { device: Device }) {
  const score = device.health_score;
  if (score === null || score === undefined) return <span class="quiet">{t("device.health_unknown")}</span>;
  const tone = score < 0.4 ? "critical" : score < 0.7 ? "warning" : "";
  const isStale = device.metadata?.health_stale === true;
  return (
    <span class="device-health-score" title={isStale ? t("device.health_stale") : undefined}>
      <span>{t("device.health")}</span>
      <Gauge share={score} tone={tone} label={`${t("device.health")} ${percent(score)}`} />
      <b>{percent(score)}</b>
      {isStale && <span class="quiet">{t("device.stale")}</span>}
    </span>
  );
}

/** A share of 1 as a bar. */
export function Gauge({ share, tone = "", label }: { share: number; tone?: string; label: string }) {
  const width = 100 * Math.min(1, Math.max(0, share));
  return (
    <svg class={`device-gauge ${tone}`} viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label={label}>
      <rect class="ground" width="100" height="8" rx="1" />
      <rect class="share" width={width} height="8" rx="1" />
    </svg>
  );
}

/** The head of a device's page: what it is, where it is, how it is, and what can be done with it. */
import type { ComponentChildren } from "preact";
import { Mark } from "../../parts/marks";
import { percent } from "../../parts/number";
import { PageHead } from "../../parts/panel";
import { Link } from "../../router";
import { type Device, newestOf } from "../../stores/devices";
import { may } from "../../stores/session";
import { t } from "../../text";
import { ago, at, ms, now } from "../../time/zone";

export const gatewayOf = (device: Device): string =>
  typeof device.metadata?.source === "string" ? device.metadata.source : "";

/** When the device was last heard of, ms since 1970; NaN where it never was. */
export function heardOf(device: Device): number {
  const [live, stored] = [ms(newestOf(device.device_id).value?.at), ms(device.timestamp)];
  return Number.isFinite(live) ? Math.max(live, Number.isFinite(stored) ? stored : live) : stored;
}

/** Whether nothing was heard of it for so long that nobody knows how it is. */
export function isSilent(device: Device, afterMs: number): boolean {
  const heard = heardOf(device);
  return device.status === "offline" || !Number.isFinite(heard) || now.value - heard > afterMs;
}

export function Head({ device, afterMs, children }: { device: Device; afterMs: number; children: ComponentChildren }) {
  const gateway = gatewayOf(device);
  return (
    <div class="device-head">
      <PageHead title={device.device_name || device.device_id}>
        <div class="device-actions">{children}</div>
      </PageHead>
      <div class="device-facts">
        <Status device={device} afterMs={afterMs} />
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

function Status({ device, afterMs }: { device: Device; afterMs: number }) {
  if (!isSilent(device, afterMs)) return <Mark of={device.status} />;
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

// The figures at the top, and what may still be spent.

import { count, dollars, seconds, short } from "../shared/format";
import type { Calls } from "./calls";
import type { Line } from "./sums";

function Figure({ name, value, more }: { name: string; value: string; more?: string | false }) {
  return (
    <div class="ab-figure">
      <dt>{name}</dt>
      <dd>
        <span class="ab-value">{value}</span>
        {more && <span class="ab-muted"> {more}</span>}
      </dd>
    </div>
  );
}

export function Totals({ line, calls }: { line: Line; calls: Calls }) {
  const { sums } = calls;
  return (
    <>
      <dl class="ab-figures">
        <Figure name="Calls" value={count(line.calls)} more={`of ${count(calls.length)}`} />
        <Figure name="Input tokens" value={short(line.input)} />
        <Figure name="Output tokens" value={short(line.output)} />
        <Figure name="Cost" value={dollars(line.cost)} more={line.unknown > 0 && `+ ${count(line.unknown)} unknown`} />
        <Figure name="Errors" value={count(line.errors)} />
        <Figure name="Median time" value={seconds(line.duration)} />
        <Figure name="To first token" value={seconds(line.first)} />
      </dl>
      {sums.calls > calls.length && (
        <p class="ab-note">
          These are the newest {count(calls.length)} of {count(sums.calls)} calls. All of them took{" "}
          {short(sums.input_tokens)} tokens in and {short(sums.output_tokens)} out, for {dollars(sums.cost)}
          {sums.unknown > 0 && ` and ${count(sums.unknown)} of unknown cost`}; {count(sums.failed)} failed.
        </p>
      )}
    </>
  );
}

export interface Budget {
  name: string;
  limit_usd: number | null;
  spent_usd: number;
  left_usd: number | null;
  limit_tokens: number | null;
  spent_tokens: number;
  left_tokens: number | null;
}

export interface Money {
  budgets?: Budget[];
  balance?: { credits: number; credits_text: string; held_text: string; start: number; refill: string } | null;
}

interface MeterProps {
  name: string;
  value: number;
  most: number;
  text: string;
  /** Whether it is bad to be full, or to be empty. */
  bad: "full" | "empty";
}

function Meter({ name, value, most, text, bad }: MeterProps) {
  const share = most > 0 ? Math.min(1, value / most) : Number(bad === "full");
  const near = bad === "full" ? share >= 0.9 : share <= 0.1;
  return (
    <div class="ab-money">
      <span>
        {name}
        {near && <strong class="ab-near"> {bad === "full" ? "nearly spent" : "low"}</strong>}
      </span>
      <meter
        class={near ? "ab-meter ab-meter-near" : "ab-meter"}
        aria-label={name}
        aria-valuetext={text}
        value={share}
      />
      <span class="ab-muted">{text}</span>
    </div>
  );
}

export function Meters({ budgets = [], balance }: Money) {
  if (!budgets.length && !balance) return null;
  return (
    <div class="ab-meters">
      {budgets.flatMap(metersOf)}
      {balance && (
        <Meter
          name="Balance"
          value={balance.credits}
          most={Math.max(balance.start, balance.credits)}
          text={`${balance.credits_text} credits left, ${balance.held_text} held by running calls; refill: ${balance.refill}`}
          bad="empty"
        />
      )}
    </div>
  );
}

function metersOf(budget: Budget, index: number) {
  const { name, limit_usd, limit_tokens } = budget;
  const meters = [];
  if (limit_usd !== null) {
    const text = `${dollars(budget.spent_usd)} of ${dollars(limit_usd)} spent, ${dollars(budget.left_usd)} left`;
    meters.push(
      <Meter key={`${index}$`} name={name} value={budget.spent_usd} most={limit_usd} text={text} bad="full" />,
    );
  }
  if (limit_tokens !== null) {
    const { spent_tokens: spent, left_tokens: left } = budget;
    const text = `${count(spent)} of ${count(limit_tokens)} tokens spent, ${count(left)} left`;
    meters.push(<Meter key={`${index}t`} name={name} value={spent} most={limit_tokens} text={text} bad="full" />);
  }
  return meters;
}

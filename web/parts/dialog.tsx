// Asks before something is done: one dialog at a time, the browser's own. It belongs to the view that opened it and closes with it; a lost
// connection, or a token that must be entered again, changes neither the dialog nor what was typed into it.
import { signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { problemText, savedName, savedToken, saveName } from '../api.ts';
import { connection } from '../store.ts';
import { toast } from './toasts.tsx';

const open = signal<{ readonly id: number; readonly dialog: JSX.Element } | undefined>(undefined);
let lastId = 0;

/** Opens a dialog, replacing one that may be open. */
export function ask(dialog: JSX.Element): void {
  open.value = { id: ++lastId, dialog };
}

export function closeDialog(): void {
  open.value = undefined;
}

export function isDialogOpen(): boolean {
  return open.peek() !== undefined;
}

/** Where the open dialog is drawn. */
export function DialogHost(): JSX.Element {
  return <div id="dialogs">{open.value && <Keyed key={open.value.id}>{open.value.dialog}</Keyed>}</div>;
}

function Keyed({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <>{children}</>;
}

/** What a person typed, by the names of the fields. */
export type Values = Readonly<Record<string, string>>;

export interface DialogProps {
  readonly title: string;
  readonly text?: string | undefined;
  /** The verb on the button that performs it; without one, the dialog can only be closed. */
  readonly confirm?: string | undefined;
  /** The label of the button that closes it and does nothing else. */
  readonly dismiss?: string | undefined;
  readonly danger?: boolean | undefined;
  /** Name of the field that is focused when it opens; default: the first one. */
  readonly focus?: string | undefined;
  /** Closes the dialog when it is done, unless it returns `stay`; an error is shown in the dialog, which stays open. */
  readonly onSubmit?: ((values: Values) => Promise<'stay' | undefined | void>) | undefined;
  /** Something was typed or chosen. */
  readonly onInput?: (() => void) | undefined;
  readonly children?: ComponentChildren;
}

export function Dialog({
  title,
  text,
  confirm,
  dismiss = 'Cancel',
  danger = false,
  focus,
  onSubmit,
  onInput,
  children,
}: DialogProps): JSX.Element {
  const element = useRef<HTMLDialogElement>(null);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const denied = connection.value === 'denied';

  // Before the next key: what is typed right after a dialog was opened belongs to it, and what is typed after it was closed belongs to the
  // element that had the focus before.
  useLayoutEffect(() => {
    const before = document.activeElement;
    return () => {
      // While it is open, nothing else can have the focus.
      element.current?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  // Hidden while the token is requested, and shown again afterwards.
  useLayoutEffect(() => {
    const { current } = element;
    if (denied) {
      current?.close();
      document.getElementById('token')?.focus();
    } else if (current && !current.open) {
      current.showModal();
      if (focus !== undefined) document.getElementById(fieldId(focus))?.focus();
    }
  }, [denied]);

  const submit = async (form: HTMLFormElement) => {
    if (busy || !onSubmit) return;
    setBusy(true);
    setProblem(undefined);
    try {
      const values = valuesOf(form);
      if (values['reason']?.trim() === '') throw new Error('Enter a reason: others will ask.');
      if (values['as'] !== undefined) saveName(values['as']);
      const stays = (await onSubmit(values)) === 'stay';
      // Another dialog may be open by now: the answer came late, and this one was closed.
      if (element.current && !stays) closeDialog();
    } catch (error) {
      if (element.current) setProblem(problemText(error));
      else toast(`${title} ${problemText(error)}`, true);
    }
    setBusy(false);
  };
  return (
    <dialog
      ref={element}
      aria-labelledby="dialog-title"
      onCancel={closeDialog}
      onClose={({ currentTarget }) => {
        // The browser reports it late: another dialog may be open by then.
        if (currentTarget.isConnected && connection.peek() !== 'denied') closeDialog();
      }}
    >
      <form
        method="dialog"
        onInput={onInput}
        onSubmit={(event) => {
          event.preventDefault();
          if (onSubmit) void submit(event.currentTarget);
          else closeDialog();
        }}
      >
        <h2 id="dialog-title">{title}</h2>
        {text !== undefined && <p>{text}</p>}
        {children}
        {connection.value === 'lost' && confirm !== undefined && (
          <p class="note">The connection is lost. Your input stays here until it is back.</p>
        )}
        {problem !== undefined && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <div class="buttons">
          <button type="button" onClick={closeDialog}>
            {dismiss}
          </button>
          {confirm !== undefined && (
            <button type="submit" class={danger ? 'danger' : 'primary'} disabled={busy}>
              {confirm}
            </button>
          )}
        </div>
      </form>
    </dialog>
  );
}

export function valuesOf(form: HTMLFormElement): Values {
  return Object.fromEntries(
    Array.from(new FormData(form), ([name, value]) => [name, typeof value === 'string' ? value : value.name]),
  );
}

function fieldId(name: string): string {
  return `field-${name}`;
}

interface FieldProps {
  readonly label: string;
  readonly name: string;
  readonly required?: boolean;
  readonly maxLength?: number;
  readonly placeholder?: string;
  readonly initial?: string;
  /** A select with these options, as [value, text]. */
  readonly options?: readonly (readonly [value: string, text: string])[];
  /** A text of several lines. */
  readonly lines?: number;
  /** Names that can be chosen; others can be typed. */
  readonly suggestions?: readonly string[];
  readonly help?: string;
}

/** One field with its label. The browser keeps what is typed; redrawing does not overwrite it. */
export function Field({ label, name, options, lines, initial, suggestions, help, ...rest }: FieldProps): JSX.Element {
  const id = fieldId(name);
  const described = help === undefined ? {} : { 'aria-describedby': `${id}-help` };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {options ? (
        <select id={id} name={name} {...described}>
          {options.map(([value, text]) => (
            <option key={value} value={value} selected={value === initial}>
              {text}
            </option>
          ))}
        </select>
      ) : lines === undefined ? (
        <input
          id={id}
          name={name}
          type="text"
          autocomplete="off"
          defaultValue={initial ?? ''}
          list={suggestions ? `${id}-list` : undefined}
          {...rest}
          {...described}
        />
      ) : (
        <textarea
          id={id}
          name={name}
          rows={lines}
          spellcheck={false}
          defaultValue={initial ?? ''}
          {...rest}
          {...described}
        />
      )}
      {suggestions && (
        <datalist id={`${id}-list`}>
          {suggestions.map((value) => (
            <option key={value} value={value} />
          ))}
        </datalist>
      )}
      {help !== undefined && (
        <p class="dim" id={`${id}-help`}>
          {help}
        </p>
      )}
    </div>
  );
}

export function Reason({ initial }: { readonly initial?: string | undefined }): JSX.Element {
  return (
    <>
      <Field
        label="Why"
        name="reason"
        required
        initial={initial ?? ''}
        maxLength={200}
        placeholder="Shown to everybody and recorded in the audit"
      />
      {savedToken() === undefined && (
        <Field
          label="Your name"
          name="as"
          maxLength={64}
          initial={savedName()}
          placeholder="For people who find it later"
        />
      )}
    </>
  );
}

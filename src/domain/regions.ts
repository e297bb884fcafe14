// AWS Regions by name: those with Amazon IVS, those known to be without it, and the names the console shows instead of codes.
// https://docs.aws.amazon.com/general/latest/gr/ivs.html and https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html

/** When the tables of this file were last compared with AWS's pages. */
export const regionsKnownAsOf = '2026-11';

/** Regions with Amazon IVS, with the names that the AWS console shows. */
export const ivsRegions: Readonly<Record<string, string>> = {
  'us-east-1': 'US East (N. Virginia)',
  'us-west-2': 'US West (Oregon)',
  'ap-south-1': 'Asia Pacific (Mumbai)',
  'ap-northeast-1': 'Asia Pacific (Tokyo)',
  'ap-northeast-2': 'Asia Pacific (Seoul)',
  'eu-central-1': 'Europe (Frankfurt)',
  'eu-west-1': 'Europe (Ireland)',
};

/** Regions that AWS has, and Amazon IVS does not. */
export const regionsWithoutIvs: Readonly<Record<string, string>> = {
  'us-east-2': 'US East (Ohio)',
  'us-west-1': 'US West (N. California)',
  'af-south-1': 'Africa (Cape Town)',
  'ap-east-1': 'Asia Pacific (Hong Kong)',
  'ap-east-2': 'Asia Pacific (Taipei)',
  'ap-south-2': 'Asia Pacific (Hyderabad)',
  'ap-southeast-1': 'Asia Pacific (Singapore)',
  'ap-southeast-2': 'Asia Pacific (Sydney)',
  'ap-southeast-3': 'Asia Pacific (Jakarta)',
  'ap-southeast-4': 'Asia Pacific (Melbourne)',
  'ap-southeast-5': 'Asia Pacific (Malaysia)',
  'ap-southeast-6': 'Asia Pacific (New Zealand)',
  'ap-southeast-7': 'Asia Pacific (Thailand)',
  'ap-northeast-3': 'Asia Pacific (Osaka)',
  'ca-central-1': 'Canada (Central)',
  'ca-west-1': 'Canada West (Calgary)',
  'cn-north-1': 'China (Beijing)',
  'cn-northwest-1': 'China (Ningxia)',
  'eu-central-2': 'Europe (Zurich)',
  'eu-north-1': 'Europe (Stockholm)',
  'eu-south-1': 'Europe (Milan)',
  'eu-south-2': 'Europe (Spain)',
  'eu-west-2': 'Europe (London)',
  'eu-west-3': 'Europe (Paris)',
  'il-central-1': 'Israel (Tel Aviv)',
  'me-central-1': 'Middle East (UAE)',
  'me-south-1': 'Middle East (Bahrain)',
  'mx-central-1': 'Mexico (Central)',
  'sa-east-1': 'South America (São Paulo)',
  'us-gov-east-1': 'AWS GovCloud (US-East)',
  'us-gov-west-1': 'AWS GovCloud (US-West)',
};

/** The form of a Region's code. */
const regionCode = /^[a-z]{2,3}(?:-[a-z]+)+-\d{1,2}$/;

/** What is wrong with a Region, according to the tables. */
export interface RegionProblem {
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

/** Checks a Region that a person wrote; undefined for one with Amazon IVS. */
export function problemOfRegion(text: string): RegionProblem | undefined {
  if (Object.hasOwn(ivsRegions, text)) return undefined;
  const known = Object.keys(ivsRegions).join(', ');
  if (Object.hasOwn(regionsWithoutIvs, text)) {
    return {
      severity: 'error',
      message: `Amazon IVS is not in ${text} (${regionsWithoutIvs[text]}); it is in ${known}`,
    };
  }
  if (regionCode.test(text)) {
    const message = `${text} was not known as a Region as of ${regionsKnownAsOf}; it will be tried`;
    return { severity: 'warning', message };
  }
  const code = codeOfDisplayName(text);
  if (code === undefined) {
    return {
      severity: 'error',
      message: `${JSON.stringify(text)} is not a Region code such as us-west-2; Amazon IVS is in ${known}`,
    };
  }
  const without = Object.hasOwn(regionsWithoutIvs, code) ? `, but Amazon IVS is not in ${code}; it is in ${known}` : '';
  return {
    severity: 'error',
    message: `${JSON.stringify(text)} is the console's name of a Region: write its code, ${code}${without}`,
  };
}

/** The code of a Region that was written as in the console, possibly without its first or last part. */
function codeOfDisplayName(text: string): string | undefined {
  const plain = (name: string) => name.toLowerCase().replaceAll(/[^a-z]/g, '');
  const wanted = plain(text);
  if (wanted === '') return undefined;
  const names = Object.entries({ ...ivsRegions, ...regionsWithoutIvs });
  return names.find(([code, name]) => {
    const [, place = ''] = /\((.*)\)/.exec(name) ?? [];
    return [name, place].some((candidate) => plain(candidate) === wanted) || plain(code) === wanted;
  })?.[0];
}

import type { Validator } from './config.js';

export declare const validate: Validator;
